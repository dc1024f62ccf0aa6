"""The reference has everything a user can reach, and every docstring of it is whole."""

from __future__ import annotations

import ast
import builtins
import doctest
import functools
import inspect
import io
import re
import textwrap
import types
import warnings
from pathlib import Path

import docstrings
import make_reference
import pytest
import surface

import glmcount as gc

EVERYTHING = (*surface.named(), *surface.returned(), *surface.contracts())
CLASSES = {each.name: each.value for each in EVERYTHING if isinstance(each.value, type)}
PAGE = make_reference.PAGE.read_text(encoding="utf-8")


def calls():
    """Public functions and methods by name, each once."""
    found = {}
    for each in EVERYTHING:
        if isinstance(each.value, type):
            for key, member in surface.members(each.value).items():
                if isinstance(member, types.FunctionType):
                    found[f"{each.name}.{key}"] = member
        elif inspect.isroutine(inspect.unwrap(each.value)):
            found[each.name] = surface.call_of(each.value)
    return found


CALLS = calls()


def sections(value):
    return dict(docstrings.sections(inspect.getdoc(value) or ""))


def given(call):
    """Names of the parameters that a caller writes."""
    return [name for name in inspect.signature(call).parameters if name not in ("self", "cls")]


@pytest.mark.parametrize("name", [each.name for each in EVERYTHING])
def test_the_reference_has_everything(name):
    assert len(re.findall(rf"^##+ `{re.escape(name)}`$", PAGE, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", CALLS)
def test_the_reference_has_every_method(name):
    # Methods of what has a name in a module are headed by the class alone.
    shown = name if name in [each.name for each in EVERYTHING] else ".".join(name.split(".")[-2:])
    assert len(re.findall(rf"^##+ `{re.escape(shown)}`$", PAGE, re.MULTILINE)) == 1


def test_what_is_inside_is_met_and_says_why_nobody_needs_it():
    assert surface.met_inside() == set(surface.INSIDE)
    assert all(surface.INSIDE.values())


def test_a_class_is_reached_by_what_returns_it():
    ways = {each.name: each.via for each in surface.returned()}
    assert ways["Certificate"] == ("Results.certificate",)
    assert {"Results.wald_test", "lr_test"} <= set(ways["TestResult"])
    assert {"Prediction", "Summary", "Separation", "Influence", "Pooled", "Power"} <= set(ways)
    assert {"Source", "Rows", "Jet", "Strip"} <= {each.name for each in surface.contracts()}


DATA = {"y": [1, 3, 2, 6, 0, 4, 0, 2], "x": [0, 1, 0, 1, 2, 0, 1, 1], "g": list("aabbccdd")}
FITS = {
    "poisson": {},
    "quasi": {"family": "quasipoisson"},
    "hurdle": {"hurdle": "x"},
    "alpha": {"family": "negbin"},
}


def reached(value, way, found):
    """Classes of ours that are met by taking every public attribute of `value`, with the way."""
    kind = type(value)
    if callable(value):
        # A function to whoever holds it, whatever it is made of.
        return
    if isinstance(value, list | tuple):
        for each in value:
            reached(each, way, found)
    if not kind.__module__.startswith("glmcount.") or kind.__name__ in (*found, *surface.INSIDE):
        return
    found[kind.__name__] = way
    fields = list(getattr(kind, "__dataclass_fields__", {}))
    attributes = [
        key
        for key, member in surface.members(kind).items()
        if isinstance(member, property | functools.cached_property)
    ]
    for key in (*fields, *attributes):
        try:
            held = getattr(value, key)
        except gc.errors.GlmcountError:
            continue
        reached(held, f"{way}.{key}", found)


def unknown(made):
    """Classes that some values lead to and the reference has not; and all that they lead to."""
    found = {}
    for value in made:
        reached(value, type(value).__name__, found)
    # `Forms` is what ours fill the protocol `Linear` with.
    known = {each.own for each in EVERYTHING} | {"Forms"}
    return {kind: way for kind, way in found.items() if kind not in known}, set(found)


@pytest.mark.parametrize("name", FITS)
def test_what_a_fit_holds_is_in_the_reference(name):
    """By the values themselves, whatever annotations say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit("y ~ x", DATA, **FITS[name])
        made = r, r.get_prediction(), r.summary(), r.wald_test("x = 0")
    new, found = unknown(made)
    assert new == {}
    assert {"Results", "Certificate", "Prediction", "Summary", "TestResult"} <= found


@pytest.mark.parametrize(
    ("cov", "held"),
    [(gc.cluster("g", kind="CR2", df="satterthwaite"), "OwnFreedom"), (gc.jackknife(), "Draws")],
    ids=["cluster", "jackknife"],
)
def test_what_a_covariance_is_handed_and_gives_is_in_the_reference(cov, held):
    made = [cov]

    def compute(setting, bread):
        made.extend([setting, cov.compute(setting, bread)])
        return made[-1]

    own = gc.covariances.Estimator("own", "own", compute, cov.needs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert gc.fit("y ~ x", DATA, cov=own).bse.notna().all()
    new, found = unknown(made)
    assert new == {}
    assert {"Estimator", "Setting", "Rows", "Source", "Covariance", held} <= found


@pytest.mark.parametrize("name", CALLS)
def test_a_docstring_has_its_parameters_in_order(name):
    told = sections(CALLS[name])
    listed = told.get("Parameters", "") + "\n" + told.get("Other Parameters", "")
    assert docstrings.listed_names(listed) == given(CALLS[name])


@pytest.mark.parametrize("name", CALLS)
def test_a_docstring_says_what_is_returned(name):
    nothing = inspect.signature(CALLS[name]).return_annotation in ("None", None)
    assert ("Returns" in sections(CALLS[name])) is not nothing


@pytest.mark.parametrize("name", CALLS)
def test_a_docstring_says_what_is_raised(name):
    """Where the function itself raises; what it calls may raise more."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(CALLS[name])))
    if any(isinstance(node, ast.Raise) for node in ast.walk(tree)):
        assert "Raises" in sections(CALLS[name])


@pytest.mark.parametrize("name", [*CALLS, *CLASSES])
def test_a_docstring_begins_with_a_sentence_and_ends_with_an_example(name):
    value = {**CALLS, **CLASSES}[name]
    text = inspect.getdoc(value)
    assert docstrings.summary(text).endswith(".")
    if not getattr(value, "_is_protocol", False):
        assert ">>> " in sections(value)["Examples"]


@pytest.mark.parametrize("name", [*CALLS, *CLASSES])
def test_an_example_runs_as_a_reader_pastes_it(name):
    """In an empty namespace: what it uses it imports."""
    text = inspect.getdoc({**CALLS, **CLASSES}[name])
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, name, name, 0)
    told = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert runner.run(test, out=told.write).failed == 0, told.getvalue()


@pytest.mark.parametrize("name", CLASSES)
def test_a_record_tells_its_fields(name):
    fields = getattr(CLASSES[name], "__dataclass_fields__", {})
    told = sections(CLASSES[name])
    listed = docstrings.listed_names(told.get("Parameters", ""))
    assert [field for field in fields if not field.startswith("_") and field not in listed] == []


PACKAGE = Path(gc.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def shapeless(text):
    """Arrays among what a docstring says is given and returned that have no shape."""
    told = dict(docstrings.sections(text))
    lines = [each for part in ("Parameters", "Returns") for each in told.get(part, "").splitlines()]
    arrays = [line for line in lines if re.match(r"(\S.* : )?(tuple of )?ndarray", line)]
    return [line for line in arrays if "(" not in line]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_everywhere_a_docstring_begins_with_a_sentence_and_arrays_have_shapes(path):
    """In the whole package; of closures their names must do."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    public = [tree, *(node for node in classes if not node.name.startswith("_"))]
    for node in (inner for holder in public for inner in holder.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            assert text or node.name.startswith("_"), node.name
            assert re.search(r"[.?:]$", docstrings.summary(text or ".")), node.name
            assert shapeless(text or "") == [], node.name


@pytest.mark.parametrize("name", CLASSES)
def test_attributes_say_what_they_are(name):
    for key, member in surface.members(CLASSES[name]).items():
        if not isinstance(member, types.FunctionType):
            assert docstrings.summary(inspect.getdoc(member) or "").endswith("."), key
            kind = surface.kind_of(member)
            assert kind not in ("", " (Any)", " (_empty)"), key
            if re.search("Series|DataFrame|ndarray", kind):
                assert "shape (" in inspect.getdoc(member), key


def test_raised_errors_are_real():
    """What a docstring says is raised is a class of ours, or one of Python's."""
    for name, call in {**CALLS, **CLASSES}.items():
        for error in docstrings.listed_names(sections(call).get("Raises", "")):
            assert hasattr(gc.errors, error) or hasattr(builtins, error), (name, error)
