from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT

from support import answer_cases


def fetch_token(case):
    method = case["method"]
    secret = case["pem"] if method == "private_key_jwt" else case["client_secret"]
    session = OAuth2Session(case["client_id"], secret, token_endpoint_auth_method=method)
    if method == "client_secret_jwt":
        session.register_client_auth_method(ClientSecretJWT(case["token_endpoint"]))
    if method == "private_key_jwt":
        session.register_client_auth_method(PrivateKeyJWT(case["token_endpoint"]))
    if case.get("again"):
        session.fetch_token(case["token_endpoint"], grant_type="client_credentials")
    return session.fetch_token(case["token_endpoint"], grant_type="client_credentials")["access_token"]


answer_cases(fetch_token)
