"""Label Studio's own settings, and this app among them."""

# Label Studio's second module reads the settings while it is imported: what it reads must be there before.
from core.settings.base import *  # noqa: F403
from core.settings.base import INSTALLED_APPS as _APPS
from core.settings.base import MIDDLEWARE as _MIDDLEWARE

SENTRY_DSN = ""

from core.settings.label_studio import *  # noqa: E402, F403

from espalier_labelstudio import release as _release  # noqa: E402

_release.warn_of_untested()
INSTALLED_APPS = [*_APPS, "espalier_labelstudio"]
MIDDLEWARE = [*_MIDDLEWARE, "espalier_labelstudio.middleware.Scripted"]
ROOT_URLCONF = "espalier_labelstudio.urls"

# A private address of Espalier, and no other, may be called. Where the operator decided otherwise, that holds.
if globals()["USE_DEFAULT_BANNED_SUBNETS"]:
    from pathlib import Path as _Path

    from espalier_labelstudio import connection as _connection
    from espalier_labelstudio import failing as _failing
    from espalier_labelstudio import reserved as _reserved

    try:
        _at = _reserved.addresses_of(_connection.load(_Path(globals()["BASE_DATA_DIR"])).url)
        _refused = [*globals()["USER_ADDITIONAL_BANNED_SUBNETS"], *_reserved.all_but(_at)]
    except Exception as _error:  # Label Studio must start, and then it refuses what it always did  # noqa: BLE001
        _failing.say_once("the way to Espalier's private address", _error)
    else:
        USE_DEFAULT_BANNED_SUBNETS, USER_ADDITIONAL_BANNED_SUBNETS = False, _refused
