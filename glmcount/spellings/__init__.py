"""How other packages call what is here, and what to write instead: tables, and how they are read.

A key of a table holds several spellings, parted by spaces; they are compared without case, dots,
dashes and underscores. What stands beside it is what to write, or a sentence.
"""

from __future__ import annotations
