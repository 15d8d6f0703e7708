# Drives Dalli.
require 'base64'
require 'json'
require 'dalli'

# How long the client waits for servers, in seconds: longer than it does by
# default, because the machine may be busy with other tests.
PATIENCE = 15

# An object of a class of its own, which only Marshal can store.
Point = Struct.new(:x, :y)

# Returns the value that Go describes.
def unpack(tagged)
  value = tagged['value']
  case tagged['type']
  when 'bytes' then Base64.decode64(value)
  when 'int' then Integer(value)
  when 'float' then Float(value)
  when 'symbol' then value.to_sym
  when 'list' then value.map { |v| unpack(v) }
  when 'map' then value.transform_values { |v| unpack(v) }
  when 'object' then Point.new(*value)
  when 'json' then JSON.generate(value)
  else value # text, bool, null
  end
end

# Describes a value to Go.
def pack(value)
  type, value = describe(value)
  { type: type, value: value }.compact
end

def describe(value)
  case value
  when nil then ['null']
  when true, false then ['bool', value]
  when Integer then ['int', value.to_s]
  when Float then ['float', value]
  when Symbol then ['symbol', value]
  when Array then ['list', value.map { |v| pack(v) }]
  when Hash then ['map', value.transform_values { |v| pack(v) }]
  when Point then ['object', value.to_a]
  when String
    text = value.encoding == Encoding::UTF_8 && value.valid_encoding?
    text ? ['text', value] : ['bytes', Base64.strict_encode64(value)]
  else raise TypeError, "no name for a #{value.class}"
  end
end

# Answers requests by calling the method that each names.
class Driver
  def open(servers:, username: nil, password: nil, weights: {}, options: {})
    @raw = options.delete('raw') ? { raw: true } : nil
    options = options.transform_keys(&:to_sym)
    options[:serializer] = Object.const_get(options[:serializer]) if options[:serializer]
    options[:compressor] = Object.const_get(options[:compressor]) if options[:compressor]
    @client = Dalli::Client.new(servers.map { |s| "#{s}:#{weights.fetch(s, 1)}" },
                                { username: username, password: password }.compact.merge(cache_nils: true, socket_timeout: PATIENCE, **options))
    nil
  end

  def set(key:, value:, ttl: 0)
    !!@client.set(key, unpack(value), ttl, @raw)
  end

  def add(key:, value:, ttl: 0)
    !!@client.add(key, unpack(value), ttl, @raw)
  end

  def append(key:, value:)
    !!@client.append(key, unpack(value))
  end

  def get(key:)
    value = @client.get(key, { cache_nils: true })
    value == Dalli::NOT_FOUND ? nil : pack(value)
  end

  def get_json(key:)
    { type: 'json', value: JSON.parse(@client.get(key)) }
  end

  def set_multi(values:)
    @client.multi { values.each { |k, v| @client.set(k, unpack(v), 0, @raw) } }
    true
  end

  def get_multi(keys:)
    @client.get_multi(keys).transform_values { |v| pack(v) }
  end

  def delete(key:)
    !!@client.delete(key)
  end

  def touch(key:, ttl:)
    !!@client.touch(key, ttl)
  end

  def incr(key:, by:, initial:)
    @client.incr(key, by, 0, initial).to_s
  end

  def decr(key:, by:, initial:)
    @client.decr(key, by, 0, initial).to_s
  end

  def gets(key:)
    value, cas = @client.get_cas(key)
    { value: pack(value), cas: cas.to_s }
  end

  def cas(key:, value:, cas:)
    !!@client.set_cas(key, unpack(value), Integer(cas), 0, @raw)
  end

  def flush
    @client.flush.all?
  end
end

Dalli.logger.level = Logger::ERROR
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
