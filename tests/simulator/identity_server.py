"""The Identity Server: who a key is, applications, API keys, the registry of end devices."""

from typing import Any

from . import errors, messages, registry, rights
from .encoding import get_path, moment, prune, select, set_path, timestamp
from .errors import INVALID_ARGUMENT, RefusedError
from .http_server import Call, Route, caller
from .model import Application, Stack
from .network import DATA
from .rights import ApiKey, expand
from .validation import check, check_update

APPLICATION_FIELDS = frozenset(
    [
        "ids",
        "created_at",
        "updated_at",
        "deleted_at",
        "name",
        "description",
        "attributes",
        "contact_info",
        "administrative_contact",
        "technical_contact",
        "network_server_address",
        "application_server_address",
        "join_server_address",
        "dev_eui_counter",
    ]
)
ADMIN = {"user_ids": {"user_id": "admin"}}


class IdentityServer:
    """The routes that a cluster without Identity Server doesn't have."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        app = "/applications/{application_id}"
        return [
            ("GET", "/auth_info", self._auth_info),
            ("GET", "/applications", self._list_applications),
            ("GET", "/users/{user_id}/applications", self._list_applications),
            ("POST", "/users/{user_id}/applications", self._create_application),
            ("GET", app, self._get_application),
            ("PUT", app, self._update_application),
            ("GET", app + "/rights", self._rights),
            ("GET", app + "/collaborators", self._collaborators),
            ("POST", app + "/dev-eui", self._issue_dev_eui),
            ("GET", app + "/api-keys", self._list_keys),
            ("POST", app + "/api-keys", self._create_key),
            ("GET", app + "/api-keys/{key_id}", self._get_key),
            ("PUT", app + "/api-keys/{key_id}", self._update_key),
            ("DELETE", app + "/api-keys/{key_id}", self._delete_key),
            ("GET", "/is/configuration", self._configuration),
            ("GET", app + "/devices", registry.list_devices),
            ("POST", app + "/devices", registry.create),
            ("POST", app + "/devices/filter", registry.filter_devices),
            ("GET", app + "/devices/batch", registry.batch),
            ("GET", app + "/devices/{device_id}", registry.get),
            ("PUT", app + "/devices/{device_id}", registry.update),
            ("DELETE", app + "/devices/{device_id}", registry.delete),
            ("GET", "/search" + app + "/devices", registry.search),
        ]

    async def _auth_info(self, call: Call) -> Any:
        key = call.key
        if key is None:
            return {}
        if key.gateway_id is not None:
            entity: Any = {"gateway_ids": {"gateway_id": key.gateway_id}}
        elif key.application_id is not None:
            entity = {"application_ids": {"application_id": key.application_id}}
        else:
            entity = {"user_ids": {"user_id": key.user_id}}
        granted = [] if self._stack.faults.rights_empty else sorted(expand(key.rights))
        answer: dict[str, Any] = {
            "api_key": {
                "api_key": key.document(rights=granted),
                "entity_ids": entity,
            }
        }
        if key.user_id == "admin":
            answer["universal_rights"] = {"rights": sorted(rights.UNIVERSAL_RIGHTS)}
            answer["is_admin"] = True
        return answer

    # Applications

    async def _list_applications(self, call: Call) -> Any:
        mask = call.query_mask(APPLICATION_FIELDS)
        key = call.key
        if key is None or key.user_id is None:
            return {}
        found = sorted(self._stack.applications)
        page = registry.page(call, found, "ListApplicationsRequest")
        documents = [_show(self._stack.applications[item], mask) for item in page]
        return {"applications": documents} if documents else {}

    async def _create_application(self, call: Call) -> Any:
        body = (await call.body()).get("application") or {}
        application_id = (body.get("ids") or {}).get("application_id")
        if application_id is not None and not isinstance(application_id, str):
            raise errors.unmarshal(
                "application",
                "failed to unmarshal ttn.lorawan.v3.ApplicationIdentifiers from JSON: proto:\u00a0"
                f"(line 1:20): invalid value for string field applicationId: {application_id}",
            )
        check(messages.CREATE_APPLICATION, {"application": body})
        key = call.key
        if key is None or key.user_id != call["user_id"]:
            raise errors.no_rights("user", call["user_id"])
        if application_id in self._stack.applications:
            raise errors.id_taken()
        assert application_id is not None
        document = {name: value for name, value in body.items() if name != "ids"}
        contacts = {"administrative_contact": ADMIN, "technical_contact": ADMIN}
        return self._stack.add_application(application_id, {**document, **contacts}).document

    async def _get_application(self, call: Call) -> Any:
        mask = call.query_mask(APPLICATION_FIELDS)
        check(messages.GET_APPLICATION, {"application_ids": call.application_ids})
        return _show(call.application(rights.INFO), mask)

    async def _update_application(self, call: Call) -> Any:
        request = await call.message("application", call.application_ids)
        mask = await call.body_mask(APPLICATION_FIELDS)
        check_update(messages.UPDATE_APPLICATION, "application", request, mask, "ids")
        application = call.application(rights.SETTINGS_BASIC)
        for path in mask:
            if not path.startswith("ids"):
                set_path(application.document, path, get_path(request, f"application.{path}"))
        application.document["updated_at"] = timestamp(self._stack.now())
        return _show(application, mask)

    async def _rights(self, call: Call) -> Any:
        check(messages.APPLICATION_IDS, call.application_ids)
        granted = self._stack.granted(call.key, call["application_id"])
        return {"rights": sorted(granted)} if granted else {}

    async def _collaborators(self, call: Call) -> Any:
        call.application(rights.SETTINGS_COLLABORATORS)
        call.headers["X-Total-Count"] = "1"
        return {"collaborators": [{"ids": ADMIN, "rights": ["RIGHT_ALL"]}]}

    async def _issue_dev_eui(self, call: Call) -> Any:
        call.application(rights.DEVICES_WRITE)
        if self._stack.dev_euis:
            return {"dev_eui": self._stack.dev_euis.pop(0)}
        raise errors.identity(
            INVALID_ARGUMENT, "dev_eui_issuing_not_enabled", "DevEUI issuing not configured"
        )

    async def _configuration(self, call: Call) -> Any:
        caller(call)
        return {"configuration": DATA["is"]}

    # API keys

    async def _list_keys(self, call: Call) -> Any:
        application = call.application(rights.SETTINGS_API_KEYS)
        keys = [key for _, key in sorted(self._stack.keys.items())]
        found = [key for key in keys if key.application_id == application.application_id]
        page = registry.page(call, found, "ListApplicationAPIKeysRequest")
        return {"api_keys": [key.document() for key in page]} if page else {}

    async def _create_key(self, call: Call) -> Any:
        body = await call.body()
        check(messages.CREATE_API_KEY, {**body, "application_ids": call.application_ids})
        expires_at = moment(body["expires_at"]) if body.get("expires_at") else None
        if expires_at is not None and expires_at <= self._stack.now():
            message_type = messages.CREATE_API_KEY.kind
            raise errors.invalid(("expires_at", message_type, "value must be greater than now"))
        application = call.application(rights.SETTINGS_API_KEYS)
        granted = body.get("rights") or []
        key = caller(call)
        own = self._stack.granted(key, application.application_id)
        if missing := sorted(expand(granted) - own):
            uid = self._stack.uid(application.application_id)
            raise errors.insufficient_rights("application", uid, missing)
        created = self._stack.add_key(
            body.get("name", ""),
            granted,
            application_id=application.application_id,
            expires_at=expires_at,
        )
        return created.document(secret=True)

    def _key(self, call: Call, application: Application) -> ApiKey:
        key = self._stack.keys.get(call["key_id"])
        if key is None or key.application_id != application.application_id:
            raise RefusedError(
                errors.NOT_FOUND,
                "pkg/identityserver/store",
                "api_key_not_found",
                "api key with id `{api_key_id}` not found",
                {"api_key_id": call["key_id"]},
            )
        return key

    async def _get_key(self, call: Call) -> Any:
        return self._key(call, call.application(rights.SETTINGS_API_KEYS)).document()

    async def _update_key(self, call: Call) -> Any:
        mask = await call.body_mask(frozenset({"name", "rights", "expires_at"}))
        key = self._key(call, call.application(rights.SETTINGS_API_KEYS))
        changes = (await call.body()).get("api_key") or {}
        if "name" in mask:
            key.name = changes.get("name", "")
        if "rights" in mask:
            key.rights = changes.get("rights", [])
        if "expires_at" in mask:
            expires = changes.get("expires_at")
            key.expires_at = moment(expires) if expires else None
        key.updated_at = self._stack.now()
        return key.document()

    async def _delete_key(self, call: Call) -> Any:
        key = self._key(call, call.application(rights.SETTINGS_API_KEYS))
        del self._stack.keys[key.key_id]
        return {}


def _show(application: Application, mask: list[str]) -> dict[str, Any]:
    return prune(select(application.document, ["ids", "created_at", "updated_at", *mask]))
