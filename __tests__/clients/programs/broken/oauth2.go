// Go's x/oauth2, configured as partners configure it, each time with one mistake: its name is the argument.
package main

import (
	"context"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	secret := os.Getenv("SECRET")
	config := clientcredentials.Config{
		ClientID: "shop", ClientSecret: secret, TokenURL: os.Getenv("TOKEN_ENDPOINT"), AuthStyle: oauth2.AuthStyleInHeader,
	}
	switch os.Args[1] {
	case "secret-from-a-file":
		config.ClientSecret = secret + "\n"
	case "header-for-body":
		config.ClientID = "post"
	case "id-in-capitals":
		config.ClientID = "Shop"
	case "id-with-space":
		config.ClientID = "shop "
	}
	_, _ = config.Token(context.Background()) // the server tells why
}
