"""Pods that break a promise of the manifests: what is changed, and which rule has to say so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PodSpec = dict[str, Any]
Spoil = Callable[[PodSpec], None]

OURS = "registry.example.com/railbird/railbird"
DIGEST = "sha256:" + 64 * "a"
TOKEN = {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}


@dataclass(frozen=True)
class Spoilt:
    """A name for the test, the change, and the words that the refusal contains."""

    name: str
    spoil: Spoil
    says: str


def _named(spec: PodSpec, name: str) -> Any:
    (found,) = (each for each in [*spec["initContainers"], *spec["containers"]] if each["name"] == name)
    return found


def setting(path: str, value: Any, *, of: str | None = None) -> Spoil:
    """Set what stands at the dotted path, of the pod or of the container `of`."""

    def spoil(spec: PodSpec) -> None:
        *parents, last = path.split(".")
        place = _named(spec, of) if of else spec
        for each in parents:
            place = place.setdefault(each, {})
        place[last] = value

    return spoil


def without(path: str, *, of: str | None = None) -> Spoil:
    """Take away what stands at the dotted path, which has to be there."""

    def spoil(spec: PodSpec) -> None:
        *parents, last = path.split(".")
        place = _named(spec, of) if of else spec
        for each in parents:
            place = place[each]
        del place[last]

    return spoil


def both(*spoils: Spoil) -> Spoil:
    def spoil(spec: PodSpec) -> None:
        for each in spoils:
            each(spec)

    return spoil


def adding(key: str, value: Any, *, of: str | None = None) -> Spoil:
    """Append to the list."""

    def spoil(spec: PodSpec) -> None:
        place = _named(spec, of) if of else spec
        place.setdefault(key, []).append(value)

    return spoil


def renamed(old: str, new: str) -> Spoil:
    return setting("name", new, of=old)


def running(place: str, of: str) -> Spoil:
    """Have a command run in the container `of`, by the hook or probe that the dotted path names."""
    return setting(place, {"exec": {"command": ["python3", "-c", "..."]}}, of=of)


_VARIABLE = {"name": "PYTHONPATH", "value": "/etc/evil"}
_OVER_CODE = {"name": "profile", "mountPath": "/opt/railbird/lib/python3.11/site-packages"}

TUNER = (
    Spoilt("tuner's variable", adding("env", _VARIABLE, of="tune"), "no variables"),
    Spoilt("watch's variable", adding("env", _VARIABLE, of="watch"), "no variables"),
    Spoilt("tuner's variables", adding("envFrom", {"configMapRef": {"name": "x"}}, of="tune"), "no variables"),
    Spoilt("hook beside the tuner", running("lifecycle.postStart", "watch"), "no hook"),
    Spoilt("startup probe of the tuner", running("startupProbe", "watch"), "by no probe"),
    Spoilt("liveness probe of the tuner", running("livenessProbe", "watch"), "by no probe"),
    Spoilt("readiness probe of the tuner", running("readinessProbe", "watch"), "by no probe"),
    Spoilt("mount over the tuner's code", adding("volumeMounts", _OVER_CODE, of="tune"), "mounts nothing where"),
    Spoilt("privileged watch", setting("securityContext.privileged", True, of="watch"), "only the tuner that ends"),
    Spoilt(
        "privileged tune that stays",
        both(setting("securityContext.privileged", True, of="tune"), setting("restartPolicy", "Always", of="tune")),
        "only the tuner that ends",
    ),
    Spoilt(
        "another capability of watch",
        setting("securityContext.capabilities.add", ["NET_ADMIN", "SYS_ADMIN"], of="watch"),
        "`watch` adds NET_ADMIN",
    ),
)
"""Ways to have something else run with the tuner's privileges."""

_ANY_DOMAIN = {"type": "spc_t"}
_UNCONFINED = {"type": "Unconfined"}

CONTEXTS = (
    Spoilt("group 0", setting("securityContext.runAsGroup", 0, of="gateway"), "groups than 0"),
    Spoilt("group 0 of the pod", setting("securityContext.runAsGroup", 0), "groups than 0"),
    Spoilt("group 0 of files", setting("securityContext.fsGroup", 0), "groups than 0"),
    Spoilt("group 0 beside others", setting("securityContext.supplementalGroups", [5, 0]), "groups than 0"),
    Spoilt("SELinux type", setting("securityContext.seLinuxOptions", _ANY_DOMAIN, of="gateway"), "SELinux"),
    Spoilt("SELinux type of the pod", setting("securityContext.seLinuxOptions", _ANY_DOMAIN), "SELinux"),
    Spoilt("AppArmor off", setting("securityContext.appArmorProfile", _UNCONFINED, of="gateway"), "AppArmor"),
    Spoilt("AppArmor off by the pod", setting("securityContext.appArmorProfile", _UNCONFINED), "AppArmor"),
    Spoilt("unmasked /proc", setting("securityContext.procMount", "Unmasked", of="gateway"), "unmasked"),
    Spoilt("the tuner's unmasked /proc", setting("securityContext.procMount", "Unmasked", of="tune"), "unmasked"),
    Spoilt("sysctl", setting("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}]), "sysctls"),
)
"""Fields of security contexts that take a confinement away."""

VOLUMES = (
    Spoilt("processes shared", setting("shareProcessNamespace", True), "share their processes"),
    Spoilt("disk", adding("volumes", {"name": "x", "persistentVolumeClaim": {"claimName": "x"}}), "a volume is a"),
    Spoilt("another's server", adding("volumes", {"name": "x", "nfs": {"server": "x", "path": "/"}}), "a volume is a"),
    Spoilt("driver's disk", adding("volumes", {"name": "x", "ephemeral": {}}), "a volume is a"),
    Spoilt(
        "another credential",
        adding("volumes", {"name": "x", "projected": {"sources": [{"podCertificate": {"signerName": "x"}}]}}),
        "no other credentials",
    ),
    Spoilt("another account", setting("serviceAccountName", "admin"), "one that these manifests make"),
    Spoilt("account by default", without("serviceAccountName"), "one that these manifests make"),
)
"""What of node and cluster a pod could see beside paths of the node."""

_MOUNT_NODE_STATE = {"name": "node-state", "mountPath": "/host"}
_DEBUGGER = {"name": "debugger", "image": f"{OURS}@{DIGEST}"}

SPOILT = (
    Spoilt("image of others", setting("image", f"docker.io/library/nginx@{DIGEST}", of="front"), "image: every"),
    Spoilt(
        "image that only looks like ours",
        setting("image", f"evil.example/{OURS}@{DIGEST}", of="gateway"),
        "image: every",
    ),
    Spoilt("image by tag", setting("image", f"{OURS}:1.0", of="gateway"), "image: every"),
    Spoilt("init container's image by tag", setting("image", f"{OURS}:1.0", of="tune"), "image: every"),
    Spoilt("image without digest", setting("image", OURS, of="gateway"), "image: every"),
    Spoilt("ephemeral container", adding("ephemeralContainers", _DEBUGGER), "no ephemeral containers"),
    Spoilt(
        "volume of an image", adding("volumes", {"name": "x", "image": {"reference": "any"}}), "no volume is made of an"
    ),
    Spoilt("privileged gateway", setting("securityContext.privileged", True, of="gateway"), "only the tuner that ends"),
    Spoilt("privileged init container of another name", renamed("tune", "setup"), "only the tuner adds capabilities"),
    Spoilt(
        "another command as tune", setting("command", ["sh", "-c", "x"], of="tune"), "only the tuner adds capabilities"
    ),
    Spoilt("tune without command", without("command", of="tune"), "only the tuner adds capabilities"),
    Spoilt("capability", setting("securityContext.capabilities.add", ["NET_RAW"], of="gateway"), "only the tuner adds"),
    Spoilt(
        "another capability of ledger", setting("securityContext.capabilities.add", ["SYS_ADMIN"], of="ledger"), "CHOWN"
    ),
    Spoilt("ledger that stays", setting("restartPolicy", "Always", of="ledger"), "CHOWN"),
    Spoilt("capabilities kept", without("securityContext.capabilities", of="gateway"), "drops ALL"),
    Spoilt(
        "some capabilities dropped", setting("securityContext.capabilities.drop", ["KILL"], of="front"), "drops ALL"
    ),
    Spoilt("no security context", without("securityContext", of="gateway"), "drops ALL"),
    Spoilt(
        "escalation",
        setting("securityContext.allowPrivilegeEscalation", True, of="gateway"),
        "allowPrivilegeEscalation",
    ),
    Spoilt(
        "escalation left open",
        without("securityContext.allowPrivilegeEscalation", of="front"),
        "allowPrivilegeEscalation",
    ),
    Spoilt("root by the pod", setting("securityContext.runAsNonRoot", False), "runAsNonRoot"),
    Spoilt("root by silence", without("securityContext.runAsNonRoot"), "runAsNonRoot"),
    Spoilt("root by the container", setting("securityContext.runAsNonRoot", False, of="gateway"), "runAsNonRoot"),
    Spoilt("uid 0", setting("securityContext.runAsUser", 0, of="gateway"), "runAsUser"),
    Spoilt("uid 0 of the pod", setting("securityContext.runAsUser", 0), "runAsUser"),
    Spoilt("no seccomp", without("securityContext.seccompProfile"), "seccomp"),
    Spoilt("seccomp off", setting("securityContext.seccompProfile", {"type": "Unconfined"}, of="gateway"), "seccomp"),
    Spoilt(
        "written root", setting("securityContext.readOnlyRootFilesystem", False, of="gateway"), "readOnlyRootFilesystem"
    ),
    Spoilt(
        "the tuner's written root",
        without("securityContext.readOnlyRootFilesystem", of="tune"),
        "readOnlyRootFilesystem",
    ),
    Spoilt("no limits", without("resources.limits", of="gateway"), "has limits"),
    Spoilt("no resources of an init container", without("resources", of="tune"), "has limits"),
    Spoilt("no limit of memory", without("resources.limits.memory", of="watch"), "has limits"),
    Spoilt("requests below limits", setting("resources.requests.cpu", "1m", of="gateway"), "are its limits"),
    Spoilt("no requests", without("resources.requests", of="front"), "are its limits"),
    Spoilt("no startup probe", without("startupProbe", of="gateway"), "of its own right"),
    Spoilt("no liveness probe", without("livenessProbe", of="gateway"), "of its own right"),
    Spoilt("no readiness probe", without("readinessProbe", of="gateway"), "of its own right"),
    Spoilt("no liveness probe of a sidecar", without("livenessProbe", of="watch"), "every sidecar"),
    Spoilt("liveness probe alone of a sidecar", without("startupProbe", of="watch"), "every sidecar"),
    Spoilt("host network anywhere", without("nodeSelector"), "nodeSelector railbird.io/media"),
    Spoilt(
        "host network elsewhere",
        setting("nodeSelector", {"railbird.io/media": "false"}),
        "nodeSelector railbird.io/media",
    ),
    Spoilt("host processes", setting("hostPID", True), "node's processes"),
    Spoilt("host inter-process communication", setting("hostIPC", True), "node's processes"),
    Spoilt("the node's root", adding("volumes", {"name": "x", "hostPath": {"path": "/"}}), "only those that are named"),
    Spoilt(
        "below a path", adding("volumes", {"name": "x", "hostPath": {"path": "/proc/sys"}}), "only those that are named"
    ),
    Spoilt("tuner's record in the gateway", adding("volumeMounts", _MOUNT_NODE_STATE, of="gateway"), "mounted only by"),
    Spoilt("token by default", without("automountServiceAccountToken"), "unasked"),
    Spoilt("token", setting("automountServiceAccountToken", True), "unasked"),
    Spoilt(
        "token projected into the gateway",
        both(adding("volumes", TOKEN), adding("volumeMounts", {"name": "token", "mountPath": "/t"}, of="gateway")),
        "only `cordon` is given",
    ),
    *TUNER,
    *CONTEXTS,
    *VOLUMES,
)
