"""Degrees of freedom of a clustered variance, by the distribution that it has itself.

Of an estimate c'b the variance is a sum of squares z_g^2, z_g = c'T_g s_g, whose covariances under
the working model are known; it is taken for a multiple of a chi-squared with as many degrees of
freedom as give it the same mean and variance (Satterthwaite 1946; Bell & McCaffrey 2002). For
several estimates at once HTZ takes Hotelling's T^2 (Pustejovsky & Tipton 2018, JBES 36, section
3.2).
"""

from __future__ import annotations

import numpy as np

from glmcount.inference.intervals import OwnFreedom
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Forms", "satterthwaite"]

# Numbers of the products that are made at once, of groups by parameters by functions.
AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Forms:
    """What the covariances of z_g = C T_g s_g are made of: delta_gh C F_g C' - C U_g M U_h' C'.

    Parameters
    ----------
    own : ndarray, shape (G, k, k)
        F_g.
    shared : ndarray, shape (G, k, k)
        U_g.
    middle : ndarray, shape (k, k)
        M.
    """

    own: Array
    shared: Array
    middle: Array

    def covariances(self, functions: Array) -> Array:
        """Of all z_g and z_h, (q, q, G, G), for q linear functions."""
        count = len(self.own)
        moved = np.einsum("qk,gkl->qgl", functions, self.shared)
        mixed = np.einsum("qgl,lm->qgm", moved, self.middle)
        out = -np.einsum("qgm,rhm->qrgh", mixed, moved)
        each = np.einsum("qk,gkl,rl->qrg", functions, self.own, functions)
        span = np.arange(count)
        out[:, :, span, span] += each
        return out

    def single(self, function: Array) -> float:
        """Degrees of freedom of one linear function."""
        return float(self.each(function[None])[0])

    def each(self, functions: Array) -> Array:
        """Degrees of freedom of each of several linear functions alone, (m,)."""
        # They do not go by the length of a function, of which fourth powers may underflow.
        lengths = np.abs(functions).max(axis=1, initial=0.0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            unit, back = np.unique(functions / lengths, axis=0, return_inverse=True)
        step = max(1, AT_ONCE // max(self.own[..., 0].size, 1))
        parts = [self._each(unit[k : k + step]) for k in range(0, len(unit), step)]
        found: Array = np.concatenate([*parts, np.empty(0)])[back.reshape(-1)]
        return found

    def _each(self, functions: Array) -> Array:
        """The same of a few, of length 1."""
        own = np.stack([np.einsum("gk,k->g", np.dot(self.own, f), f) for f in functions])
        moved = np.einsum("mk,gkl->mgl", functions, self.shared, optimize=True)
        mixed = np.dot(moved, self.middle)
        squares = np.einsum("mgl,mgl->mg", mixed, moved)
        # sum_gh (delta_gh F_g - u_g'M u_h)^2 without all pairs.
        inner = np.matmul(self.middle, np.matmul(moved.transpose(0, 2, 1), moved))
        total = np.sum(own * own - 2.0 * own * squares, axis=1)
        total += np.einsum("mkl,mlk->m", inner, inner)
        mean = np.sum(own - squares, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Observed information may tell of a variance below zero, which has none.
            return np.where((total > 0) & (mean > 0), mean * mean / total, np.nan)

    def joint(self, functions: Array) -> float:
        """nu of Hotelling's T^2 for several linear functions at once."""
        found = self.covariances(functions)
        mean = np.einsum("qrgg->qr", found)
        values, vectors = np.linalg.eigh(mean)
        root = np.dot(vectors / np.sqrt(values), vectors.T)
        found = np.einsum("aq,qrgh,br->abgh", root, found, root)
        crossed = np.einsum("abgh,bagh->", found, found)
        straight = np.einsum("aagh,bbgh->", found, found)
        q = len(functions)
        return float(q * (q + 1) / (crossed + straight))


def satterthwaite(setting: Setting, forms: Forms) -> OwnFreedom:
    """Degrees of freedom of each parameter, and of hypotheses taken together."""
    fit, found = setting.fit, setting.found.estimates
    # From the kept, shifted parameters to those the user has.
    back = fit.layout.functions(np.eye(fit.layout.size)[fit.kept], fit.kept)
    ours = Forms(
        np.einsum("ik,gkl,jl->gij", back, forms.own, back),
        np.einsum("ik,gkl->gil", back, forms.shared),
        forms.middle,
    )
    # Of a score test the fit is of the larger model, and the estimates are of the smaller one.
    own = np.full(max(len(found.names), len(fit.kept)), np.nan)
    own[: len(fit.kept)] = ours.each(np.eye(len(fit.kept)))
    return OwnFreedom(own, ours)
