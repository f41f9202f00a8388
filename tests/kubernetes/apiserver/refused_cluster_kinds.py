"""Devices, fair queues, certificates, addresses, policies and definitions that are refused
(pkg/apis/{resource,flowcontrol,certificates,networking,admissionregistration}/validation, apiextensions-apiserver, kube-aggregator)."""

from __future__ import annotations

import base64
from typing import Any

from .broken import LABEL, SUBDOMAIN, Case, thing

DNS1035 = ("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
           "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")
BUDGET = ("exceeds budget by factor of {} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and "
          "strings are declared)")
VALIDATION = "spec.validation.openAPIV3Schema"
TEXTS = {"type": "array", "items": {"type": "string"}}


def claim(*requests: dict[str, Any], **devices: Any) -> dict[str, Any]:
    return thing("resource.k8s.io/v1", "ResourceClaim", spec={"devices": {"requests": [*requests], **devices}})


def request(**exactly: Any) -> dict[str, Any]:
    return {"name": "a", "exactly": {"deviceClassName": "g", **exactly}}


def devices(**spec: Any) -> dict[str, Any]:
    pool = {"name": "p", "generation": 1, "resourceSliceCount": 1}
    return thing("resource.k8s.io/v1", "ResourceSlice", spec={"driver": "a.b", "nodeName": "n", "pool": pool, **spec})


def flow(*rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return thing("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", spec={"priorityLevelConfiguration": {"name": "a"}, "rules": [*rules], **spec})


def level(**spec: Any) -> dict[str, Any]:
    return thing("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", spec=spec)


def signing(**spec: Any) -> dict[str, Any]:
    text = "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
    asked = {"request": base64.b64encode(text.encode()).decode(), "usages": ["any"], "signerName": "a.b/c"}
    return thing("certificates.k8s.io/v1", "CertificateSigningRequest", spec={**asked, **spec})


def policy(**spec: Any) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    return thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", spec={
        "matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "true"}], **spec})


def crd(schema: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema or {"type": "object"}}}
    return thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"name": "foos.a.com"}, spec={
        "group": "a.com", "scope": "Cluster", "names": {"plural": "foos", "kind": "Foo"}, "versions": [version], **spec})


def field(**schema: Any) -> dict[str, Any]:
    return crd({"type": "object", "properties": {"a": schema}})


def ruled(rule: str, **properties: Any) -> dict[str, Any]:
    return field(type="object", properties=properties, **{"x-kubernetes-validations": [{"rule": rule}]})


def shown(rule: str) -> str:
    return (f'{VALIDATION}.properties[a].x-kubernetes-validations[0].rule: Invalid value: {{"Rule":"{rule}","Message":"","MessageExpression":"",'
            '"Reason":null,"FieldPath":"","OptionalOldSelf":null}: ')


TABLES: dict[str, list[Case]] = {
    "devices": [
        (claim({"name": "a"}), "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"),
        (claim({"name": "A", "exactly": {"deviceClassName": "g"}}), f'spec.devices.requests[0].name: Invalid value: "A": {LABEL}'),
        (claim(request(), request()), 'spec.devices.requests[1].name: Duplicate value: "a"'),
        (claim(request(allocationMode="All", count=2)),
         "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"),
        (claim(request(deviceClassName="")), "spec.devices.requests[0].exactly.deviceClassName: Required value"),
        (claim(request(selectors=[{}])), "spec.devices.requests[0].exactly.selectors[0].cel: Required value"),
        (claim(request(), constraints=[{"requests": ["b"], "matchAttribute": "a.b/c"}]),
         'spec.devices.constraints[0].requests[0]: Invalid value: "b": must be the name of a request in the claim or the name of a request and a '
         "subrequest separated by '/'"),
        (claim(request(), constraints=[{"matchAttribute": "c"}]),
         'spec.devices.constraints[0].matchAttribute: Invalid value: "c": must include a domain'),
        (claim(request(), config=[{"opaque": {"driver": "a.b", "parameters": [1]}}]),
         'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": parameters must be a valid JSON object'),
        (devices(allNodes=False), "spec.allNodes: Invalid value: false: must be either unset or set to true"),
        (devices(allNodes=True), 'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, '
                                 "`perDeviceNodeSelection` is required, but multiple fields are set"),
        (devices(devices=[{"name": "a", "attributes": {"m": {"version": "1"}}}]),
         'spec.devices[0].attributes[m].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0'),
    ],
    "flow control": [
        (flow(matchingPrecedence=1), "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"),
        (flow(distinguisherMethod={"type": "x"}),
         'spec.distinguisherMethod.type: Unsupported value: {"Type":"x"}: supported values: "ByNamespace", "ByUser"'),
        (flow({"subjects": [{"kind": "User", "user": {"name": "u"}}], "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/a*"]}]}),
         'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a*": wildcard can only do suffix matching'),
        (flow({"subjects": [{"kind": "Group"}], "resourceRules": [
            {"verbs": ["*", "get"], "apiGroups": [""], "resources": ["pods"], "clusterScope": True}]}),
         "[spec.rules[0].subjects[0].group: Required value: group is required when subject kind is 'Group', "
         "spec.rules[0].resourceRules[0].verbs: Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs]"),
        (level(type="Exempt"), "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"),
        (level(type="Limited"), "spec.limited: Required value: must not be empty when type is Limited"),
        (level(type="Limited", limited={"limitResponse": {"type": "Queue", "queuing": {"queues": 64, "handSize": 20}}}),
         "spec.limited.limitResponse.queuing.handSize: Invalid value: 20: required entropy bits of deckSize 64 and handSize 20 should not be "
         "greater than 60"),
    ],
    "certificates and addresses": [
        (signing(request="Zm9v"), 'spec.request: Invalid value: "Zm9v": PEM block type must be CERTIFICATE REQUEST'),
        (signing(usages=["any", "any"]), 'spec.usages[1]: Duplicate value: "any"'),
        (signing(signerName="a/b"),
         'spec.signerName: Invalid value: "a": should be a domain with at least two segments separated by dots'),
        (signing(signerName="kubernetes.io/legacy-unknown"),
         'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version'),
        (thing("networking.k8s.io/v1", "IPAddress", {"name": "10.0.0.300"}, spec={"parentRef": {"resource": "services"}}),
         '[metadata.name: Invalid value: "10.0.0.300": ParseAddr("10.0.0.300"): IPv4 field has value >255, spec.parentRef.name: Required value]'),
        (thing("networking.k8s.io/v1", "ServiceCIDR", spec={"cidrs": ["10.0.0.0/8", "11.0.0.0/8"]}),
         'spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/8","11.0.0.0/8"]}: may specify no more than one IP for each IP family, i.e '
         "192.168.0.0/24 and 2001:db8::/96"),
        (thing("apiregistration.k8s.io/v1", "APIService", {"name": "v1."}, spec={
            "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1, "insecureSkipTLSVerify": True}),
         "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify"),
    ],
    "policies": [
        (policy(paramKind={"apiVersion": "a/b/c", "kind": "K"}),
         'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'),
        (policy(validations=[{"expression": "object.a == b"}]),
         'spec.validations[0].expression: Invalid value: "object.a == b": compilation failed: ERROR: <input>:1:13: undeclared reference to '
         "'b' (in container '')\n | object.a == b\n | ............^"),
        (policy(validations=[{"expression": "object.a ="}]),
         'spec.validations[0].expression: Invalid value: "object.a =": compilation failed: ERROR: <input>:1:10: Syntax error: token recognition '
         "error at: '='\n | object.a =\n | .........^"),
        (policy(validations=[{"expression": "true", "message": "a\nb"}]),
         'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks'),
        (policy(validations=[{"expression": "object.spec.paused"}]),
         'spec.validations[0].expression: Invalid value: "object.spec.paused": must evaluate to bool'),
        (policy(validations=[{"expression": "request.kin == 'a'"}]),
         'spec.validations[0].expression: Invalid value: "request.kin == \'a\'": compilation failed: ERROR: <input>:1:8: undefined field '
         "'kin'\n | request.kin == 'a'\n | .......^"),
        (policy(validations=[{"expression": "params.x == 1"}]),
         'spec.validations[0].expression: Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to '
         "'params' (in container '')\n | params.x == 1\n | ^"),
        (policy(variables=[{"name": "a", "expression": "1"}], validations=[{"expression": "variables.b == 1"}]),
         'spec.validations[0].expression: Invalid value: "variables.b == 1": compilation failed: ERROR: <input>:1:10: undefined field '
         "'b'\n | variables.b == 1\n | .........^"),
        (policy(variables=[{"name": "in", "expression": "1"}]),
         'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier'),
        (thing("events.k8s.io/v1", "Event", regarding={"namespace": "refusals"}, type="Odd"),
         '[eventTime: Required value, type: Invalid value: "": has invalid value: Odd]'),
    ],
    "definitions": [
        (crd(scope=""), "spec.scope: Required value"),
        (crd(group="com"), '[metadata.name: Invalid value: "foos.a.com": must be spec.names.plural+"."+spec.group, spec.group: Invalid value: '
                           '"com": should be a domain with at least one dot]'),
        (crd(versions=[]), "[spec.versions: Invalid value: []: must have exactly one version marked as storage version, "
                           "status.storedVersions: Invalid value: null: must have at least one stored version]"),
        (crd(names={"plural": "foos", "kind": "a_b", "singular": "foo"}),
         f'[spec.names.kind: Invalid value: "a_b": may have mixed case, but should otherwise match: {DNS1035}, spec.names.listKind: Invalid value: '
         f'"a_bList": may have mixed case, but should otherwise match: {DNS1035}]'),
        (crd(versions=[{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {
            "type": "string"}}}]), f'[{VALIDATION}.type: Invalid value: "string": only "object" is allowed as the type at the root of the schema '
                                   f'if the status subresource is enabled, {VALIDATION}.type: Invalid value: "string": must be object at the root]'),
        (crd(conversion={"strategy": "Webhook"}), "[spec.conversion.webhookClientConfig: Required value: required when strategy is set to "
                                                  "Webhook, spec.conversion.conversionReviewVersions: Required value]"),
        (field(type="text"), f'{VALIDATION}.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", '
                             '"number", "object", "string"'),
        (field(type="string", pattern="["), f'{VALIDATION}.properties[a].pattern: Invalid value: "[": must be a valid regular expression, but '
                                            "isn't: error parsing regexp: missing closing ]: `[`"),
        (field(type="string", anyOf=[{"type": "string"}]), f"{VALIDATION}.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"),
        (ruled("self.b", c={"type": "string"}), shown("self.b") + "compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b\n"
                                                                 " | ....^"),
        (ruled("self.o.b", o={"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
         shown("self.o.b") + "compilation failed: ERROR: <input>:1:7: undefined field 'b'\n | self.o.b\n | ......^"),
        (ruled("size(self.c)", c=TEXTS), shown("size(self.c)") + "cel expression must evaluate to a bool"),
        (ruled("self.c.all(x, self.d.all(y, x != y))", c=TEXTS, d=TEXTS),
         f"[{VALIDATION}.properties[a].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost {BUDGET.format('more than 100x')}, "
         f"{VALIDATION}.properties[a].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit "
         f"for entire OpenAPIv3 schema, {VALIDATION}: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema "
         f"{BUDGET.format('more than 100x')}]"),
        # as kubeblocks 0.9.0-beta.13 was refused by a 1.28 (its issue 7138), grafana-operator in its pull request 1729
        (field(type="array", items={"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "string"}}, "x-kubernetes-validations": [
            {"rule": "(has(self.b) && !has(self.c)) || (!has(self.b) && has(self.c))"}]}),
         f"{VALIDATION}.properties[a].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost {BUDGET.format('1.048576x')}"),
        (thing("networking.k8s.io/v1", "IngressClass", spec={"controller": "a.b/c", "parameters": {"name": "n"}}),
         "spec.parameters.kind: Required value: kind is required"),
        (thing("apps/v1", "StatefulSet", spec={"selector": {"matchLabels": {"a": "b"}}, "serviceName": "a.b", "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i", "volumeMounts": [
                {"name": "held", "mountPath": "/h"}, {"name": "gone", "mountPath": "/g"}]}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "held"}, "spec": {
                "storageClassName": "A", "resources": {"requests": {"storage": "1"}}}}]}),
         "[spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required, "
         f'spec.volumeClaimTemplates[0].spec.storageClassName: Invalid value: "A": {SUBDOMAIN}, '
         'spec.serviceName: Invalid value: "a.b": must not contain dots, spec.template.spec.containers[0].volumeMounts[1].name: Not found: "gone"]'),
    ],
}
