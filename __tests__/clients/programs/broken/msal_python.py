"""MSAL, configured as partners configure it, each time with one mistake: its name is the argument."""
import os
import sys

import msal

env = os.environ


def pem(name):
    return {"private_key": open(env[name], encoding="ascii").read(), "thumbprint": "A" * 40}


CONFIGURATIONS = {
    "as-it-comes": ("bank", pem("RSA_PEM")),
    "secret-from-a-file": ("post", env["SECRET"] + "\n"),
    "other-environment": ("post", "7f3b0c52-of-the-test-environment"),
    "swapped": (env["SECRET"], "post"),
    "unknown": ("3a4d1f6e-8b7c-4e2a-9d0f-5c6b7a8e9f10", env["SECRET"]),
}

client_id, credential = CONFIGURATIONS[sys.argv[1]]
msal.ConfidentialClientApplication(
    client_id, client_credential=credential, authority=env["ISSUER"] + "/tenant", instance_discovery=False
).acquire_token_for_client(["api"])
