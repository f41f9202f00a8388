"""Who asks: a ServiceAccount by its token, whomever the server takes others for, or whom they pose as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .. import account_tokens
from ..errors import ApiError, bad_request
from ..rbac import ACCOUNT, AUTHENTICATED, User, account_groups, check
from .call import Call

if TYPE_CHECKING:
    from ...ground import Ground

ANONYMOUS, UNAUTHENTICATED, AUTHENTICATION = "system:anonymous", "system:unauthenticated", "authentication.k8s.io"
NOBODY = User(ANONYMOUS, (UNAUTHENTICATED,))


def user_of(engine: Ground, call: Call, otherwise: User) -> User:
    """Who asks: a ServiceAccount by its token, else `otherwise`; or whom they pose as (kubectl --as). Raises ApiError.

    apiserver/pkg/endpoints/filters/impersonation.go
    """
    user = otherwise
    bearer = call.headers.get("authorization", "")
    if bearer[:7].lower() == "bearer ":
        try:
            user = of_info(account_tokens.user_info(account_tokens.check(engine, bearer[7:].strip())))
        except account_tokens.BadToken:
            raise ApiError(401, "Unauthorized", "Unauthorized") from None
    name = call.headers.get("impersonate-user", "")
    groups = tuple(filter(None, (one.strip() for one in call.headers.get("impersonate-group", "").split(","))))
    extra = tuple(sorted((unquote(key.removeprefix("impersonate-extra-")), tuple(value.split(",")))
                         for key, value in call.headers.items() if key.startswith("impersonate-extra-")))
    uid = call.headers.get("impersonate-uid", "")
    if not name:
        if groups or extra or uid:
            raise bad_request("requested impersonation of groups, uid or extra without impersonating a user")
        return user
    posing = [{"resource": "users", "name": name, "group": ""}]
    if of_account := account_groups(name):
        namespace, account = name.removeprefix(ACCOUNT).split(":")
        posing = [{"resource": "serviceaccounts", "namespace": namespace, "name": account, "group": ""}]
        groups = groups or of_account
        posing += [{"resource": "groups", "name": one, "group": ""} for one in call.headers.get("impersonate-group", "").split(",") if one]
    else:
        posing += [{"resource": "groups", "name": one, "group": ""} for one in groups]
    posing += [{"resource": "uids", "name": uid, "group": AUTHENTICATION}] if uid else []
    posing += [{"resource": "userextras", "subresource": key, "name": value, "group": AUTHENTICATION} for key, values in extra for value in values]
    for wanted in posing:
        check(engine, user, {"verb": "impersonate", **wanted})
    if name != ANONYMOUS and AUTHENTICATED not in groups and UNAUTHENTICATED not in groups:
        groups = (*groups, AUTHENTICATED)
    return User(name, groups, uid, extra)


def of_info(info: dict[str, Any]) -> User:
    return User(info["username"], tuple(info["groups"]), info["uid"], tuple((key, tuple(values)) for key, values in info["extra"].items()))
