"""PyJWT makes the assertion, as many a script does, and curl sends it."""
import json
import subprocess
import time
import uuid

import jwt

from support import answer_cases

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def fetch_token(case):
    now = int(time.time())
    claims = {
        "iss": case["client_id"],
        "sub": case["client_id"],
        "aud": case["issuer"],
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 60,
    }
    if case["method"] == "client_secret_jwt":
        assertion = jwt.encode(claims, case["client_secret"], algorithm="HS256")
    else:
        assertion = jwt.encode(claims, case["pem"], algorithm="RS256", headers={"kid": case["jwk"]["kid"]})
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    }
    fields = [argument for name, value in form.items() for argument in ("--data-urlencode", f"{name}={value}")]
    answer = json.loads(subprocess.check_output(["curl", "--silent", *fields, case["token_endpoint"]]))
    if "error" in answer:
        raise RuntimeError(answer["error_description"])
    return answer["access_token"]


answer_cases(fetch_token)
