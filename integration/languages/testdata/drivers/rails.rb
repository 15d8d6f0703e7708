# Drives the memcached store of Rails (ActiveSupport).
require 'json'
require 'active_support'
require 'active_support/cache'
require 'active_support/cache/mem_cache_store'

# Answers requests by calling the method that each names.
class Driver
  def open(servers:, options:)
    ActiveSupport::Cache.format_version = options.delete('format_version') if options['format_version']
    @cache = ActiveSupport::Cache::MemCacheStore.new(*servers, **options.transform_keys(&:to_sym), pool: false, socket_timeout: 15)
    nil
  end

  def set(key:, value:, raw: true)
    @cache.write(key, value, raw: raw, expires_in: 3600)
  end

  def get(key:, raw: true)
    @cache.read(key, raw: raw)
  end

  def delete(key:)
    @cache.delete(key)
  end

  def incr(key:, by:)
    @cache.increment(key, by)
  end
end

$stdout.sync = true
driver = Driver.new
$stdin.each_line do |line|
  request = JSON.parse(line)
  op = request.delete('op')
  answer = begin
    { result: driver.public_send(op, **request.transform_keys(&:to_sym)) }
  rescue StandardError, NotImplementedError => e # every failure is an answer
    { error: "#{e.class}: #{e.message}" }
  end
  puts JSON.generate(answer)
end
