// Go's x/oauth2: one case a line on stdin, one result a line on stdout.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type request struct {
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	TokenEndpoint string `json:"token_endpoint"`
	Method        string `json:"method"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one request
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			panic(err)
		}
		style := oauth2.AuthStyleInParams
		if one.Method == "client_secret_basic" {
			style = oauth2.AuthStyleInHeader
		}
		config := clientcredentials.Config{
			ClientID: one.ClientID, ClientSecret: one.ClientSecret, TokenURL: one.TokenEndpoint, AuthStyle: style,
		}
		result := map[string]string{}
		if token, err := config.Token(context.Background()); err == nil {
			result["token"] = token.AccessToken
		} else {
			result["error"] = err.Error()
		}
		text, _ := json.Marshal(result)
		fmt.Println(string(text))
	}
}
