require 'openssl'
require 'rack/oauth2'
require_relative 'support'

STYLES = {
  'client_secret_basic' => :basic,
  'client_secret_post' => :body,
  'client_secret_jwt' => :jwt_bearer,
  'private_key_jwt' => :jwt_bearer
}.freeze

answer_cases do |one|
  key = OpenSSL::PKey::RSA.new(one[:pem]) if one[:method] == 'private_key_jwt'
  client = Rack::OAuth2::Client.new(
    identifier: one[:client_id],
    secret: one[:client_secret],
    private_key: key,
    token_endpoint: one[:token_endpoint]
  )
  client.access_token!(STYLES.fetch(one[:method])) if one[:again]
  client.access_token!(STYLES.fetch(one[:method])).access_token
end
