require 'oauth2'
require_relative 'support'

SCHEMES = { 'client_secret_basic' => :basic_auth, 'client_secret_post' => :request_body }.freeze

answer_cases do |one|
  client = OAuth2::Client.new(
    one[:client_id],
    one[:client_secret],
    token_url: one[:token_endpoint],
    auth_scheme: SCHEMES.fetch(one[:method])
  )
  client.client_credentials.get_token.token
end
