"""Judges an object by ValidatingAdmissionPolicies, as the API server would: CEL, variables in order, every rule asked.

What it leaves out: parameters, match conditions, selectors of objects, and the bounds for what a rule may cost.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from celpy import Environment, Runner
from celpy.adapter import json_to_cel
from celpy.celtypes import MapType, StringType
from celpy.evaluation import CELEvalError

from tests.daemonset.pods import named, of_kind
from tests.daemonset.rendering import Object

RESOURCES = {
    ("v1", "Pod"): ("", "pods"),
    ("apps/v1", "DaemonSet"): ("apps", "daemonsets"),
    ("apps/v1", "Deployment"): ("apps", "deployments"),
    ("batch/v1", "Job"): ("batch", "jobs"),
}
"""(apiVersion, kind) -> (API group, resource)."""


@dataclass(frozen=True)
class Denial:
    policy: str
    message: str


@cache
def _program(expression: str) -> Runner:
    environment = Environment()
    return environment.program(environment.compile(expression))


def denials(policies: Sequence[Object], candidate: Object, namespace: Object) -> Iterator[Denial]:
    """Every rule that refuses `candidate` in `namespace`: it says no, or cannot be worked out (failurePolicy Fail)."""
    for binding in of_kind(policies, "ValidatingAdmissionPolicyBinding"):
        spec = binding["spec"]
        assert "Deny" in spec["validationActions"]
        policy = named(policies, "ValidatingAdmissionPolicy", spec["policyName"])
        if _selects(spec["matchResources"]["namespaceSelector"], namespace) and _matches(policy, candidate):
            yield from _refused(policy, candidate)


def _selects(selector: dict[str, Any], namespace: Object) -> bool:
    """The API server gives each namespace a label with its name."""
    metadata = namespace["metadata"]
    labels = metadata.get("labels", {}) | {"kubernetes.io/metadata.name": metadata["name"]}
    assert set(selector) == {"matchLabels"}, "all that there is to know of selectors here"
    return bool(selector["matchLabels"].items() <= labels.items())


def _matches(policy: Object, candidate: Object) -> bool:
    group, resource = RESOURCES[candidate["apiVersion"], candidate["kind"]]
    rules = policy["spec"]["matchConstraints"]["resourceRules"]
    return any(group in rule["apiGroups"] and resource in rule["resources"] for rule in rules)


def _refused(policy: Object, candidate: Object) -> Iterator[Denial]:
    variables = MapType()
    known = {"object": json_to_cel(candidate), "variables": variables}
    for each in policy["spec"].get("variables", ()):
        variables[StringType(each["name"])] = _program(each["expression"]).evaluate(known)
    for rule in policy["spec"]["validations"]:
        if not _holds(rule["expression"], known):
            yield Denial(policy["metadata"]["name"], rule["message"])


def _holds(expression: str, known: dict[str, Any]) -> bool:
    try:
        return bool(_program(expression).evaluate(known))
    except CELEvalError:
        return False


def messages(policies: Iterable[Object]) -> list[str]:
    """What there is to be refused for."""
    rules = (each["spec"]["validations"] for each in of_kind(policies, "ValidatingAdmissionPolicy"))
    return [rule["message"] for validations in rules for rule in validations]
