# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS clients with one deadline, and words for what AWS answers."""

from __future__ import annotations

import contextlib
import re
import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from . import pace

with contextlib.suppress(ImportError):  # AnsibleAWSModule names the missing library.
    from botocore.exceptions import BotoCoreError, ClientError

RETRIES = {"mode": "standard", "max_attempts": 10}
"""botocore's standard mode retries throttling, 5xx and lost connections with backoff and jitter, under the one
``clientRequestToken`` of the call; AWSRetry would make a new token, and a second resource."""
MANY = 25
"""Things of which a task makes so many calls that EKS or IAM may throttle it for them."""
SLOWING = {"mode": "adaptive", "max_attempts": 10}
"""For many calls of a module that shares no pace with other tasks: botocore's adaptive mode retries alike, and after a
throttled call it slows down all others of the client, until they pass."""


class DeadlineExceeded(Exception):
    """The task's time is up."""


class Deadline:
    """A point in time that every wait and every attempt of a task shares.

    ``seconds`` counts from now; ``clock`` and ``sleep`` are in seconds.
    """

    def __init__(
        self,
        seconds: float,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that remain; never negative."""
        return max(0.0, self._end - self._clock())

    def expire(self) -> None:
        """Let no wait go on: for a task that was interrupted."""
        self._end = self._clock()

    def pause(self, seconds: float) -> bool:
        """Sleep up to ``seconds``; False, without a sleep, when no time is left."""
        left = self.left
        if not left:
            return False
        self._sleep(min(seconds, left))
        return True


def aws_client(
    module: t.Any, service: str, deadline: Deadline | None = None, region: str = "", many: bool = False, **config: t.Any
) -> t.Any:
    """Return a boto3 client that retries as AWS advises, and begins no attempt after ``deadline``.

    ``region`` is another one than the module's. Where AWS throttles, it slows down with all tasks of the run; where
    these share no pace, it does so by itself if it has ``many`` calls to make. ``config`` goes to
    ``botocore.config.Config``, for example ``max_pool_connections``.
    """
    elsewhere = {"region": region} if region else {}
    alone = many and not pace.is_shared()
    client = module.client(service, config={"retries": SLOWING if alone else RETRIES, **config}, **elsewhere)
    if pace.is_shared():
        pace.keep(client, service)
    if deadline is not None:
        client.meta.events.register(f"before-send.{service}", lambda **_event: _check(deadline))
    return client


def _check(deadline: Deadline) -> None:
    if not deadline.left:
        raise DeadlineExceeded(f"no answer within {deadline.seconds:g} seconds")


@contextlib.contextmanager
def doing(purpose: str) -> t.Iterator[None]:
    """Name what the AWS calls inside are for: ``doing("find the association of shop/orders in cluster prod")``."""
    try:
        yield
    except (ClientError, BotoCoreError, DeadlineExceeded) as error:
        raise AnsibleAWSError(message=f"Failed to {purpose}", exception=error) from error


def error_code(error: BaseException) -> str:
    """AWS's code of ``error``, through our wrapping; "" where there is none."""
    error = getattr(error, "exception", None) or error
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def error_message(error: BaseException) -> str:
    """AWS's own sentence in ``error``, or the exception's."""
    error = getattr(error, "exception", None) or error
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Message") or error)


def explain(error: AnsibleAWSError) -> dict[str, t.Any]:
    """Arguments for ``fail_json``: one message that says what failed, why and what to do; AWS's code apart.

    What the error carries as ``kwargs``, for example what was changed before it, comes along.
    """
    cause = error.exception
    if cause is None:
        return {**error.kwargs, "msg": str(error.message)}
    sentences = [f"{error.message}: {error_message(error)}".rstrip("."), advice(cause)]
    result: dict[str, t.Any] = {**error.kwargs, "msg": ". ".join(s for s in sentences if s) + "."}
    if code := error_code(cause):
        result["error"] = {"code": code, "message": error_message(cause)}
    return result


CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
    }
)
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
NOT_FOUND = frozenset({"ResourceNotFoundException", "NotFoundException"})
"""What EKS answers about something that isn't there."""
ADVICE_BY_KIND = {
    "NoCredentialsError": "Give AWS credentials: set profile (in the playbooks eks_profile) or AWS_PROFILE; in AWX, "
    "add an AWS credential to the job template",
    "ProfileNotFound": "Name a profile of the AWS configuration file (in the playbooks eks_profile), or unset it",
    "EndpointConnectionError": "Check region, endpoint_url and the network between here and AWS",
}
"""By the name of botocore's exception."""
ADVICE_BY_MESSAGE = {
    "No cluster found": "Check cluster_name, region and account",
    "Cross-account pass role": "Give a role of the cluster's account; one of another account can be target_role_arn",
}


def advice(cause: BaseException) -> str:
    """What to do about ``cause``; "" where AWS's own words suffice."""
    if words := ADVICE_BY_KIND.get(type(cause).__name__):
        return words
    for part, words in ADVICE_BY_MESSAGE.items():
        if part in error_message(cause):
            return words
    code = error_code(cause)
    if code in CREDENTIAL_CODES:
        return "The credentials are expired or not valid in this partition; renew them"
    if code in DENIED_CODES:
        return f"Allow {_denied(cause)} to the caller, or run with credentials that have it"
    return ""


def _denied(cause: BaseException) -> str:
    """The permission that ``cause`` lacks: the call's own, or another one that AWS names, such as iam:PassRole."""
    operation = str(getattr(cause, "operation_name", "the call"))
    named = re.search(r"not authorized to perform: ([\w-]+:(\w+))(?: on resource: (\S+))?", error_message(cause))
    if named is None or named[2] == operation:
        return operation
    return f"{named[1]} on {named[3]}" if named[3] else named[1]
