"""kubectl's commands. Importing this registers them all in `verbs.VERBS`."""

import importlib
import pkgutil

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
