"""The secret with TT's application key, as the local profile makes it. Reading is in `clients`.

On AWS a person puts the real key and secret there; the platform never writes them.
"""

import json
from uuid import uuid4

from botocore.exceptions import ClientError

from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import secretsmanager_client


def ensure_local_secret(settings: Settings) -> bool:
    """In profile `local`, put a random key and secret where there are none; whether it did so.

    A secret that is there is never overwritten. They are random, so nobody can mistake one of them
    for a real one, and a stand-in that lost its own gets another: clients pick it up like a rotated
    one.

    Raises:
        BotoCoreError, ClientError: as boto3 raises them, for the caller to translate.
    """
    if settings.profile is not Profile.LOCAL:
        return False
    value = json.dumps({"key": str(uuid4()), "secret": str(uuid4())})
    try:
        secretsmanager_client(settings).create_secret(
            Name=settings.tt_secret_name, SecretString=value
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceExistsException":
            raise
        return False
    return True
