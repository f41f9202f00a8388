"""The part of the Common Expression Language that x-kubernetes-validations and admission policies mostly use. What is not here is refused
when a definition is written, with its name: nothing is taken and then ignored.

Here: literals, variables, members and indices, optional members (.?), has(), arithmetic, comparisons, logic with its short cuts, in, ?:,
size(), the conversions int() double() string() type names left out, the macros all exists exists_one map filter, of strings and lists
startsWith endsWith contains matches size lowerAscii upperAscii trim split replace indexOf substring join isSorted sum min max format,
quantity() and its comparisons, ip() and cidr() and what is in them, authorizer in admission (apiserver/pkg/cel/library:
quantity.go, cidr.go, ip.go, authz.go).
The types of expressions about built-in kinds are checked apart (checking.py), for the status of policies.
Not here: timestamps, durations, URLs, sets, bytes, regex captures.
Grammar: github.com/google/cel-spec, doc/langdef.md. Costs: a bound on steps while a rule runs; what it may cost at most is counted when a
definition is written (estimates.py).
"""

from .evaluation import Cost, Expression, begin_turn, compiled
from .values import Authorizer, CelError, Json, Misread, NoFunction, Spent, pointed

__all__ = ["Authorizer", "CelError", "Cost", "Expression", "Json", "Misread", "NoFunction", "Spent", "begin_turn", "compiled", "pointed"]
