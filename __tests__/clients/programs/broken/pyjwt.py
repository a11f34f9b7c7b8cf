"""PyJWT as scripts of partners use it, each time with one mistake: its name is the argument."""
import base64
import datetime
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import jwt

env = os.environ
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA, OTHER = (open(env[name], encoding="ascii").read() for name in ("RSA_PEM", "OTHER_PEM"))
SECRET, MAC_SECRET = env["SECRET"], env["MAC_SECRET"]
now = int(time.time())


def sign(changes=None, key=RSA, algorithm="RS256", headers=None, client="bank"):
    claims = {
        "iss": client,
        "sub": client,
        "aud": env["ISSUER"],
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 60,
        **(changes or {}),
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "rsa-1"} if headers is None else headers)


def post(form, headers=None):
    body = urllib.parse.urlencode({"grant_type": "client_credentials", **form}).encode()
    request = urllib.request.Request(env["TOKEN_ENDPOINT"], body, headers or {})
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError:
        pass  # the server tells why


def send(assertion, **changes):
    post({"client_assertion_type": JWT_BEARER, "client_assertion": assertion, **changes})


def mac(key):
    send(sign(key=key, algorithm="HS256", headers={}, client="mac"))


# datetime.now() knows no zone, and PyJWT takes it for UTC
local = datetime.datetime.fromtimestamp(now, datetime.timezone(datetime.timedelta(hours=9))).replace(tzinfo=None)

MISTAKES = {
    "aud-endpoint": lambda: send(sign({"aud": env["ISSUER"] + "/token"})),
    "aud-list": lambda: send(sign({"aud": [env["ISSUER"], "https://other.example"]})),
    "aud-slash": lambda: send(sign({"aud": env["ISSUER"] + "/"})),
    "aud-missing": lambda: send(sign({"aud": None})),
    "exp-milliseconds": lambda: send(sign({"iat": None, "exp": (now + 60) * 1000})),
    "exp-missing": lambda: send(sign({"exp": None})),
    "exp-text": lambda: send(sign({"exp": str(now + 60)})),
    "exp-kept": lambda: send(sign({"iat": now - 600, "exp": now - 540})),
    "local-time": lambda: send(sign({"iat": local, "exp": local + datetime.timedelta(minutes=1)})),
    "life-of-a-day": lambda: send(sign({"exp": now + 86_400})),
    "iss-number": lambda: send(sign({"iss": 4711})),
    "sub-of-a-user": lambda: send(sign({"sub": "alice@example.com"})),
    "sub-random": lambda: send(sign({"sub": str(uuid.uuid4())})),
    "alg-default": lambda: send(sign(key=SECRET, algorithm="HS256", headers={})),
    "alg-none": lambda: send(sign(key="", algorithm="none", headers={})),
    "pss": lambda: send(sign(algorithm="PS256")),
    "kid-unknown": lambda: send(sign(headers={"kid": "rsa-2026"})),
    "wrong-key": lambda: send(sign(key=OTHER)),
    "neighbour": lambda: send(sign(key=open(env["NEIGHBOUR_PEM"], encoding="ascii").read())),
    "bytes-as-text": lambda: send(str(sign().encode())),
    "as-grant": lambda: post({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": sign()}),
    "grant-as-type": lambda: send(sign(), client_assertion_type="urn:ietf:params:oauth:grant-type:jwt-bearer"),
    "as-bearer": lambda: post({}, {"Authorization": "Bearer " + sign()}),
    "decoded-secret": lambda: mac(base64.b64decode(MAC_SECRET)),
    "secret-with-line-break": lambda: mac(MAC_SECRET + "\n"),
}

MISTAKES[sys.argv[1]]()
