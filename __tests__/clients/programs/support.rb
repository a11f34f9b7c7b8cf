# The common end of the Ruby programs: one case a line on stdin, one result a line on stdout.
require 'json'

def answer_cases
  $stdout.sync = true
  $stdin.each_line do |line|
    result = begin
      { token: yield(JSON.parse(line, symbolize_names: true)) }
    rescue StandardError => e
      { error: "#{e.class}: #{e.message}"[0, 300] }
    end
    puts result.to_json
  end
end
