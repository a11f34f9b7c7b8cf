import msal

from support import answer_cases


def fetch_token(case):
    secret = case["client_secret"]
    if case["method"] == "private_key_jwt":
        secret = {"private_key": case["pem"], "thumbprint": "A" * 40}
    application = msal.ConfidentialClientApplication(
        case["client_id"],
        client_credential=secret,
        authority=case["origin"] + "/tenant",
        instance_discovery=False,
    )
    if case.get("again"):
        application.acquire_token_for_client(["api"])
    answer = application.acquire_token_for_client(["another" if case.get("again") else "api"])
    if "error" in answer:
        raise RuntimeError(answer.get("error_description", answer["error"]))
    return answer["access_token"]


answer_cases(fetch_token)
