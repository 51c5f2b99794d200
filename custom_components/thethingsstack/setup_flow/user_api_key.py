"""Steps with the API key of a user or an organization: create an application and its own key."""

from collections.abc import Iterable

from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from ..client import (
    FEATURES,
    ApiKey,
    Application,
    ApplicationClient,
    Conflict,
    InvalidRequest,
    KeyInfo,
    StackError,
    missing_rights,
)
from ..client.rights import SETTINGS_API_KEYS, expand_rights
from ..client.rules import MAX_NAME
from ..const import CONF_APPLICATION_ID
from .probe import http_error
from .server_form import FormError

CONF_FEATURES = "features"
CONF_NAME = "name"
DELETE_KEY = "delete_key"
REQUIRED_FEATURE = "uplinks"
NOT_TICKED = ("simulate",)
"""Features of use to developers only, which have to be ticked."""
KEY_NAME = "Home Assistant"

NEW_APPLICATION_SCHEMA = vol.Schema(
    {vol.Required(CONF_APPLICATION_ID): TextSelector(), vol.Optional(CONF_NAME): TextSelector()}
)


def may_create_applications(info: KeyInfo) -> bool:
    """Return whether an API key of a user or an organization may create applications."""
    kind = "USER" if info.user_id else "ORGANIZATION"
    wanted = {"RIGHT_ALL", f"RIGHT_{kind}_ALL", f"RIGHT_{kind}_APPLICATIONS_CREATE"}
    return bool(info.user_id or info.organization_id) and bool(wanted & info.rights)


def grantable_features(rights: frozenset[str]) -> list[str]:
    """Return the features whose rights a new key can get from this one; [] if it can't create one."""
    if SETTINGS_API_KEYS not in rights:
        return []
    unavailable = missing_rights(rights)
    return [*(feature for feature in FEATURES if feature not in unavailable), DELETE_KEY]


def grant_schema(rights: frozenset[str]) -> vol.Schema:
    """Return the form that asks which features the new API key shall allow."""
    features = grantable_features(rights)
    ticked = [feature for feature in features if feature not in NOT_TICKED]
    selector = SelectSelector(
        SelectSelectorConfig(
            options=features,
            multiple=True,
            translation_key="features",
            mode=SelectSelectorMode.LIST,
        )
    )
    return vol.Schema({vol.Required(CONF_FEATURES, default=ticked): selector})


def rights_for(features: Iterable[str]) -> frozenset[str]:
    """Return the rights that these features need, with the members of combined ones."""
    rights = {right for feature in features for right in FEATURES.get(feature, ())}
    if DELETE_KEY in features:
        rights.add(SETTINGS_API_KEYS)
    return expand_rights(rights)


async def async_create_application(
    stack: ApplicationClient, info: KeyInfo, application_id: str, name: str | None
) -> Application:
    """Create an application of the key's owner and return it; raises FormError.

    `application_id` must be valid: see `read_application`.
    """
    if name and len(name) > MAX_NAME:
        raise FormError(
            "application_name_too_long", CONF_NAME, length=str(len(name)), longest=str(MAX_NAME)
        )
    try:
        return await stack.administration.create(
            application_id,
            user_id=info.user_id,
            organization_id=info.organization_id,
            name=name or None,
        )
    except InvalidRequest as err:
        raise FormError("application_refused", error=str(err)) from err
    except Conflict as err:
        raise FormError("application_id_taken", CONF_APPLICATION_ID) from err
    except StackError as err:
        raise http_error(err) from err


async def async_create_key(stack: ApplicationClient, rights: frozenset[str]) -> ApiKey:
    """Create an API key of the application with only these rights; raises FormError."""
    try:
        return await stack.administration.create_api_key(KEY_NAME, sorted(rights))
    except StackError as err:
        raise http_error(err) from err
