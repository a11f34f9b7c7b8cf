"""The common end of the Python programs: one case a line on stdin, one result a line on stdout."""
import json
import sys


def answer_cases(fetch_token):
    for line in sys.stdin:
        try:
            result = {"token": fetch_token(json.loads(line))}
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(result), flush=True)
