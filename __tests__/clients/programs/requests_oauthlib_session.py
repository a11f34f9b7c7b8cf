from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from support import answer_cases


def fetch_token(case):
    session = OAuth2Session(client=BackendApplicationClient(client_id=case["client_id"]))
    in_body = case["method"] == "client_secret_post"
    return session.fetch_token(
        case["token_endpoint"], client_secret=case["client_secret"], include_client_id=True if in_body else None
    )["access_token"]


answer_cases(fetch_token)
