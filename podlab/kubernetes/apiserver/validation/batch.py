"""Jobs and CronJobs (pkg/apis/batch/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import selectors
from ...cron import ScheduleError, bad_zone, parse
from ..errors import FieldError
from . import words
from .internal import internal
from .metadata import Errors, complain, in_order, non_negative, repeated, validate_label_name, validate_label_selector
from .pods import validate_template

Object = Mapping[str, Any]

MAX_PARALLELISM = 100_000  # maxParallelismForIndexedJob
MAX_FAILED_INDEXES = 100_000  # maxFailedIndexesForIndexedJob
MANY_COMPLETIONS, LIMIT_OF_MANY = 100_000, 10_000  # completionsSoftLimit, parallelism- and maxFailedIndexesLimitForHighCompletions
MAX_RULES = 20  # maxPodFailurePolicyRules, maxSuccessPolicyRule
MAX_PATTERNS = 20  # maxPodFailurePolicyOnPodConditionsPatterns
MAX_EXIT_CODES = 255  # maxPodFailurePolicyOnExitCodesValues
MAX_MANAGED_BY = 63  # maxManagedByLength
MAX_SUCCEEDED_INDEXES = 64 * 1024  # maxJobSuccessPolicySucceededIndexesLimit
MAX_CRONJOB_NAME = 52  # 63 less the 11 characters that the controller appends


def job(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateJob without its metadata."""
    spec, metadata = obj["spec"], obj["metadata"]
    _generated_selector(obj, errors)
    _job_spec(spec, "spec", errors)
    selector, labels = spec.get("selector"), ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if selector is None:
        errors.append(FieldError.required("spec.selector"))
    else:
        validate_label_selector(selector, "spec.selector", errors)
    if not selectors.selects(selector, labels):
        errors.append(FieldError.invalid("spec.template.metadata.labels", in_order(labels),
                                         "`selector` does not match template `labels`"))
    if spec.get("completionMode") == "Indexed" and spec.get("completions"):
        last = f"{metadata.get('name', '')}-{spec['completions'] - 1}"
        if words.bad_label(last):
            errors.append(FieldError.invalid("metadata.name", metadata.get("name", ""),
                                             f"will not able to create pod with invalid DNS label: {last}"))


def _generated_selector(obj: Object, errors: Errors) -> None:
    spec = obj["spec"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    wanted = {}
    for prefix in ("", "batch.kubernetes.io/"):
        wanted[f"{prefix}controller-uid"] = obj["metadata"].get("uid", "")
        wanted[f"{prefix}job-name"] = obj["metadata"].get("name", "")
    for key, value in wanted.items():
        path = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            errors.append(FieldError.required(path, f"must be '{value}'"))
        elif labels[key] != value:
            errors.append(FieldError.invalid(path, in_order(labels), f"must be '{value}'"))
    if not selectors.selects(spec["selector"], wanted):
        errors.append(FieldError.invalid("spec.selector", spec["selector"], "`selector` not auto-generated"))


def _job_spec(spec: Object, path: str, errors: Errors) -> None:
    for member in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
                   "backoffLimitPerIndex",
                   "maxFailedIndexes"):
        non_negative(errors, f"{path}.{member}", spec.get(member))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        errors.append(FieldError.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if (manager := spec.get("managedBy")) is not None:
        errors += (FieldError.invalid(f"{path}.managedBy", *found) for found in words.bad_domain_prefixed_path(manager))
        if len(manager.encode()) > MAX_MANAGED_BY:
            errors.append(FieldError.too_long(f"{path}.managedBy", MAX_MANAGED_BY))
    mode = spec.get("completionMode")
    if mode not in (None, "NonIndexed", "Indexed"):
        errors.append(FieldError.not_supported(f"{path}.completionMode", mode, ["NonIndexed", "Indexed"]))
    if mode == "Indexed":
        if spec.get("completions") is None:
            errors.append(FieldError.required(f"{path}.completions", "when completion mode is Indexed"))
        if (spec.get("parallelism") or 0) > MAX_PARALLELISM:
            errors.append(FieldError.invalid(f"{path}.parallelism", spec["parallelism"],
                                             f"must be less than or equal to {MAX_PARALLELISM} "
                                             "when completion mode is Indexed"))
        most, completions = spec.get("maxFailedIndexes"), spec.get("completions")
        if most is not None and completions is not None and most > completions:
            errors.append(FieldError.invalid(f"{path}.maxFailedIndexes", most, "must be less than or equal to completions"))
        if most is not None and most > MAX_FAILED_INDEXES:
            errors.append(FieldError.invalid(f"{path}.maxFailedIndexes", most, f"must be less than or equal to {MAX_FAILED_INDEXES}"))
        if (completions or 0) > MANY_COMPLETIONS and spec.get("backoffLimitPerIndex") is not None:
            _many_completions(spec, path, errors)
    elif mode in (None, "NonIndexed"):
        for member in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(member) is not None:
                errors.append(FieldError.invalid(f"{path}.{member}", spec[member], "requires indexed completion mode"))
    if spec.get("podFailurePolicy") is not None:
        _failure_policy(spec, f"{path}.podFailurePolicy", errors)
    if spec.get("successPolicy") is not None:
        _success_policy(spec, f"{path}.successPolicy", errors)
    policy = spec.get("podReplacementPolicy")
    if policy is not None:
        allowed = ["Failed"] if spec.get("podFailurePolicy") is not None else ["Failed", "TerminatingOrFailed"]
        if policy not in allowed:
            errors.append(FieldError.not_supported(f"{path}.podReplacementPolicy", policy, allowed))
    template = spec.get("template") or {}
    validate_template(template, f"{path}.template", errors)
    restart = (template.get("spec") or {}).get("restartPolicy", "")
    if restart in ("", "Always"):
        errors.append(FieldError.required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    elif restart not in ("OnFailure", "Never"):
        errors.append(FieldError.not_supported(f"{path}.template.spec.restartPolicy", restart, ["OnFailure", "Never"]))
    elif spec.get("podFailurePolicy") is not None and restart != "Never":
        errors.append(FieldError.invalid(f"{path}.template.spec.restartPolicy", restart,
                                         'only "Never" is supported when podFailurePolicy is specified'))


def _many_completions(spec: Object, path: str, errors: Errors) -> None:
    """What is asked of a Job with so many completions that the list of failed indexes could not be kept."""
    if spec.get("maxFailedIndexes") is None:
        errors.append(FieldError.required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {MANY_COMPLETIONS}"))
    for member in ("parallelism", "maxFailedIndexes"):
        if (spec.get(member) or 0) > LIMIT_OF_MANY:
            errors.append(FieldError.invalid(f"{path}.{member}", spec[member],
                                             f"must be less than or equal to {LIMIT_OF_MANY} when completions are above "
                                             f"{MANY_COMPLETIONS} and used with backoff limit per index"))


def _failure_policy(spec: Object, path: str, errors: Errors) -> None:
    given = len(spec["podFailurePolicy"].get("rules") or ())
    if given > MAX_RULES:
        errors.append(FieldError.too_many(f"{path}.rules", given, MAX_RULES))
    names = [one.get("name") for member in ("containers", "initContainers")
             for one in ((spec.get("template") or {}).get("spec") or {}).get(member) or ()]
    for i, rule in enumerate(spec["podFailurePolicy"].get("rules") or ()):
        here, action = f"{path}.rules[{i}]", rule.get("action", "")
        actions = ["Count", "FailIndex", "FailJob", "Ignore"]
        if not action:
            errors.append(FieldError.required(f"{here}.action", 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'))
        elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            errors.append(FieldError.invalid(f"{here}.action", action, "requires the backoffLimitPerIndex to be set"))
        elif action not in actions:
            errors.append(FieldError.not_supported(f"{here}.action", action, actions))
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
        if codes is not None:
            _exit_codes(codes, names, f"{here}.onExitCodes", errors)
        if len(conditions) > MAX_PATTERNS:
            errors.append(FieldError.too_many(f"{here}.onPodConditions", len(conditions), MAX_PATTERNS))
        for j, pattern in enumerate(conditions):
            at, status = f"{here}.onPodConditions[{j}]", pattern.get("status", "")
            validate_label_name(pattern.get("type", ""), f"{at}.type", errors)
            if not status:
                errors.append(FieldError.required(f"{at}.status", 'valid values: ["False" "True" "Unknown"]'))
            elif status not in ("False", "True", "Unknown"):
                errors.append(FieldError.not_supported(f"{at}.status", status, ["False", "True", "Unknown"]))
        if codes is not None and conditions:
            errors.append(FieldError.invalid_as_such(here, "specifying both OnExitCodes and OnPodConditions is not supported"))
        if codes is None and not conditions:
            errors.append(FieldError.invalid_as_such(here, "specifying one of OnExitCodes and OnPodConditions is required"))


def _exit_codes(codes: Object, names: list[Any], path: str, errors: Errors) -> None:
    """validatePodFailurePolicyRuleOnExitCodes."""
    operator, name, values = codes.get("operator", ""), codes.get("containerName"), codes.get("values") or []
    if not operator:
        errors.append(FieldError.required(f"{path}.operator", 'valid values: ["In" "NotIn"]'))
    elif operator not in ("In", "NotIn"):
        errors.append(FieldError.not_supported(f"{path}.operator", operator, ["In", "NotIn"]))
    if name is not None and name not in names:
        errors.append(FieldError.invalid(f"{path}.containerName", name,
                                         "must be one of the container or initContainer names in the pod template"))
    if not values:
        errors.append(FieldError.invalid(f"{path}.values", codes.get("values"), "at least one value is required"))
    elif len(values) > MAX_EXIT_CODES:
        errors.append(FieldError.too_many(f"{path}.values", len(values), MAX_EXIT_CODES))
    for j, (value, twice) in enumerate(zip(values, repeated(values), strict=True)):
        if operator == "In" and value == 0:
            errors.append(FieldError.invalid(f"{path}.values[{j}]", value, "must not be 0 for the In operator"))
        if twice:
            errors.append(FieldError.duplicate(f"{path}.values[{j}]", value))
    if [*values] != sorted(values):
        errors.append(FieldError.invalid(f"{path}.values", values, "must be ordered"))


def _indexes(text: str, completions: int) -> int:
    """How many indexes `0-3,5` means (validateIndexesFormat). Raises ValueError with the server's words."""
    last, total = -1, 0
    for part in text.split(",") if text else ():
        ends: list[int] = []
        limits = part.split("-")
        if len(limits) > 2:
            raise ValueError(f'the fragment "{part}" violates the requirement that an index interval can have at most two parts '
                             "separated by '-'")
        for limit in limits:
            if not limit.isdecimal():
                raise ValueError(f'cannot convert string to integer for index: "{limit}"')
            if int(limit) >= completions:
                raise ValueError(f'too large index: "{limit}"')
            if ends and ends[0] >= int(limit):
                raise ValueError(f"non-increasing order, previous: {ends[0]}, current: {int(limit)}")
            ends.append(int(limit))
        if total and last >= ends[0]:
            raise ValueError(f"non-increasing order, previous: {last}, current: {ends[0]}")
        last, total = ends[-1], total + ends[-1] - ends[0] + 1
    return total


def _success_policy(spec: Object, path: str, errors: Errors) -> None:
    if spec.get("completionMode") != "Indexed":
        errors.append(FieldError.invalid(path, internal("SuccessPolicy", spec["successPolicy"]), "requires indexed completion mode"))
        return
    rules = spec["successPolicy"].get("rules") or ()
    if not rules:
        errors.append(FieldError.required(f"{path}.rules",
                                          "at least one rules must be specified when the successPolicy is specified"))
    if len(rules) > MAX_RULES:
        errors.append(FieldError.too_many(f"{path}.rules", len(rules), MAX_RULES))
    for i, rule in enumerate(rules):
        if rule.get("succeededIndexes") is None and rule.get("succeededCount") is None:
            errors.append(FieldError.required(f"{path}.rules[{i}]",
                                              "at least one of succeededCount or succeededIndexes must be specified"))
        count, indexes, completions, total = rule.get("succeededCount"), rule.get("succeededIndexes"), spec.get("completions") or 0, None
        if indexes is not None:
            if len(indexes.encode()) > MAX_SUCCEEDED_INDEXES:
                errors.append(FieldError.too_long(f"{path}.rules[{i}].succeededIndexes", MAX_SUCCEEDED_INDEXES))
            try:
                total = _indexes(indexes, completions)
            except ValueError as error:
                errors.append(FieldError.invalid(f"{path}.rules[{i}].succeededIndexes", indexes,
                                                 f"error parsing succeededIndexes: {error}"))
        non_negative(errors, f"{path}.rules[{i}].succeededCount", count)
        for bound, of in ((completions, "the number of specified completions"),
                          (total, "the number of indexes in the specified succeededIndexes field")):
            if count is not None and bound is not None and count > bound:
                errors.append(FieldError.invalid(f"{path}.rules[{i}].succeededCount", count,
                                                 f"must be less than or equal to {bound} ({of})"))


def job_update(new: Object, old: Object, errors: Errors) -> None:
    """ValidateJobUpdate: a Job's work does not change under way; a suspended one may be placed elsewhere."""
    job(new, errors)
    spec, before = new["spec"], old["spec"]
    elastic = (spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
               and spec.get("completions") is not None and before.get("completions") is not None)
    for member in ("completions", "selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex",
                   "managedBy",
                   "successPolicy"):
        if spec.get(member) == before.get(member) or (member == "completions" and elastic):
            continue
        value = spec.get(member)
        if member == "template":
            idle = not (old.get("status") or {}).get("active")
            if before.get("suspend") and _bare_template(spec, idle) == _bare_template(before, idle):
                continue
            metadata = value.get("metadata") or {}
            sorted_maps = {name: in_order(metadata[name]) for name in ("labels", "annotations") if name in metadata}
            value = {**metadata, **sorted_maps, "Spec": internal("PodSpec", value.get("spec") or {})}
        elif member in ("podFailurePolicy", "successPolicy") and value is not None:
            value = internal(member[0].upper() + member[1:], value)
        errors.append(FieldError.invalid(f"spec.{member}", value, words.IMMUTABLE))


def _bare_template(spec: Object, idle: bool) -> dict[str, Any]:
    """A template without what a suspended Job may change: labels, annotations and where its Pods go.

    `idle`: none of its Pods is left, and their containers may be given other resources (MutablePodResourcesForSuspendedJobs, beta in 1.36).
    """
    template = spec["template"]
    pod = {key: value for key, value in template["spec"].items() if key not in ("nodeSelector", "tolerations", "schedulingGates")}
    if "affinity" in pod:
        pod["affinity"] = {key: value for key, value in pod["affinity"].items() if key != "nodeAffinity"}
    for member in ("containers", "initContainers") if idle else ():
        pod[member] = [{key: value for key, value in one.items() if key != "resources"} for one in pod.get(member) or ()]
    return pod


def cronjob(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateCronJobCreate without its metadata."""
    name = obj["metadata"].get("name") or ""
    _cronjob_spec(obj["spec"], errors)
    if len(name) > MAX_CRONJOB_NAME:
        errors.append(FieldError.invalid("metadata.name", name, words.too_long(MAX_CRONJOB_NAME)))


def cronjob_update(new: Object, old: Object, errors: Errors) -> None:
    _cronjob_spec(new["spec"], errors)


def _cronjob_spec(spec: Object, errors: Errors) -> None:
    schedule = spec.get("schedule", "")
    if not schedule:
        errors.append(FieldError.required("spec.schedule"))
    else:
        try:
            parse(schedule)
        except ScheduleError as error:
            errors.append(FieldError.invalid("spec.schedule", schedule, str(error)))
        if "TZ" in schedule:
            errors.append(FieldError.invalid("spec.schedule", schedule,
                                             "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
    non_negative(errors, "spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    zone = spec.get("timeZone")
    if zone == "":
        errors.append(FieldError.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string"))
    elif zone is not None and zone.lower() == "local":
        errors.append(FieldError.invalid("spec.timeZone", zone,
                                         "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"))
    elif zone is not None and (problem := bad_zone(zone)):
        complain(errors, "spec.timeZone", zone, (problem,))
    policy = spec.get("concurrencyPolicy", "")
    if not policy:
        errors.append(FieldError.required("spec.concurrencyPolicy"))
    elif policy not in ("Allow", "Forbid", "Replace"):
        errors.append(FieldError.not_supported("spec.concurrencyPolicy", policy, ["Allow", "Forbid", "Replace"]))
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    _job_spec(template, "spec.jobTemplate.spec", errors)
    if template.get("selector") is not None:
        errors.append(FieldError.invalid("spec.jobTemplate.spec.selector", template["selector"],
                                         "`selector` will be auto-generated"))
    if template.get("manualSelector"):
        errors.append(FieldError.not_supported("spec.jobTemplate.spec.manualSelector", True, ["nil", "false"]))
    non_negative(errors, "spec.successfulJobsHistoryLimit", spec.get("successfulJobsHistoryLimit"))
    non_negative(errors, "spec.failedJobsHistoryLimit", spec.get("failedJobsHistoryLimit"))
