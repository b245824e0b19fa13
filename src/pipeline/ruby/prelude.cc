#include "pipeline/ruby/state.h"

namespace enclave::pipeline::ruby {

/// Events, times, JSON and what else Logstash's scripts take for granted.
const std::string_view kPrelude = R"ruby(
class LoadError < ScriptError; end

module Kernel
  KNOWN_LIBRARIES = %w[json time date base64 digest digest/md5 digest/sha1 digest/sha2 openssl securerandom set
    logstash/event logstash/timestamp logstash/json]
  def require(name)
    return true if KNOWN_LIBRARIES.include?(name)
    raise LoadError, "there is no library \"#{name}\" here; see docs/LOGSTASH.md"
  end
  def puts(*all) = nil
  def print(*all) = nil
  def p(*all) = all.size > 1 ? all : all[0]
  def printf(*all) = nil
  def logger = LogStash::Logger
  def test(name) = nil
  def to_json(*all) = Native.json(self)
  def __run_code(event)
    @__code.call(event) { |other| other.__yield }
    nil
  end
  def __register(parameters)
    raise NoMethodError, "the script has no method \"filter(event)\"" unless respond_to?(:filter)
    register(parameters) if respond_to?(:register)
  end
  def __run_script(event)
    results = filter(event)
    raise TypeError, "filter returned no array of events; to drop an event return []" unless results.is_a?(Array)
    goes_on = false
    results.each do |one|
      raise TypeError, "filter returned an array with something that is no event" unless one.is_a?(LogStash::Event)
      one.equal?(event) ? goes_on = true : one.__yield
    end
    event.cancel unless goes_on
  end
end

module LogStash
  module Logger
    def self.debug(*all) = nil
    def self.info(*all) = nil
    def self.warn(*all) = nil
    def self.error(*all) = nil
    def self.fatal(*all) = nil
    def self.trace(*all) = nil
    def self.debug? = false
    def self.info? = false
    def self.warn? = false
  end
  class TimestampParserError < StandardError; end
  class Timestamp
    include Comparable
    def self.now = at(0).__set(Native.now_ns)
    def self.at(seconds, micros = 0)
      return allocate.__set((seconds * 1000000000.0).to_i) if seconds.is_a?(Float)
      allocate.__set(seconds.to_i * 1000000000 + (micros * 1000).to_i)
    end
    def self.coerce(value)
      return value if value.is_a?(Timestamp)
      value.is_a?(Time) || value.is_a?(String) ? new(value) : nil
    end
    def self.parse_iso8601(text) = new(text)
    def initialize(time = nil)
      if time.nil?
        @ns = Native.now_ns
      elsif time.is_a?(String)
        @ns = Native.parse_time(time)
        raise TimestampParserError, "\"#{time}\" is no time of ISO 8601" if @ns.nil?
      else
        @ns = time.__ns
      end
    end
    def __set(ns)
      @ns = ns
      self
    end
    def __ns = @ns
    def time = Time.__make(@ns, 0, true)
    def to_i = @ns / 1000000000
    def to_f = to_i + nsec / 1000000000.0
    def usec = @ns.modulo(1000000000) / 1000
    def nsec = @ns.modulo(1000000000)
    def year = time.year
    def to_s = time.iso8601(3)
    def to_iso8601 = to_s
    def inspect = "\"#{to_s}\""
    def <=>(other) = other.respond_to?(:__ns) ? @ns <=> other.__ns : nil
    def ==(other) = other.respond_to?(:__ns) && @ns == other.__ns
    def eql?(other) = self == other
    def hash = @ns.hash
    def -(other)
      return (@ns - other.__ns) / 1000000000.0 if other.respond_to?(:__ns)
      Timestamp.at(0).__set(@ns - (other * 1000000000).to_i)
    end
    def +(seconds) = Timestamp.at(0).__set(@ns + (seconds * 1000000000).to_i)
  end
  class Event
    def timestamp = get("@timestamp")
    def timestamp=(time)
      set("@timestamp", time)
    end
    def [](name)
      raise NoMethodError, "event[\"#{name}\"] went with Logstash 5: write event.get(\"#{name}\")"
    end
    def []=(name, value)
      raise NoMethodError, "event[\"#{name}\"] = went with Logstash 5: write event.set(\"#{name}\", value)"
    end
    def append(other)
      other.to_hash.each do |name, value|
        next if name == "@timestamp" || name == "@version"
        mine = get("[#{name}]")
        if mine.nil?
          set("[#{name}]", value)
        else
          set("[#{name}]", [*mine, *value])
        end
      end
      self
    end
    def to_s = "#{get("@timestamp")} #{sprintf("%{host}")} #{get("message")}"
    def inspect = to_s
  end
  module Json
    def self.load(text) = JSON.parse(text)
    def self.dump(value) = JSON.generate(value)
  end
end

class Time
  include Comparable
  def self.__make(ns, offset, utc)
    one = allocate
    one.__set(ns, offset, utc)
    one
  end
  def self.__local(ns) = __make(ns, Native.offset("localtime", ns / 1000000000, false), false)
  def self.now = __local(Native.now_ns)
  def self.at(time, part = 0, unit = :microsecond)
    return __make(time.__ns, 0, false).getlocal if time.respond_to?(:__ns)
    scale = unit == :millisecond ? 1000000 : unit == :nsec || unit == :nanosecond ? 1 : 1000
    ns = time.is_a?(Float) ? (time * 1000000.0).round * 1000 : time.to_i * 1000000000
    __local(ns + (part * scale).to_i)
  end
  def self.__civil(zone, year, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0)
    month = MONTHS.index(month.downcase) + 1 if month.is_a?(String) && MONTHS.include?(month.downcase)
    whole = Native.seconds(year.to_i, (month || 1).to_i, (day || 1).to_i, hour.to_i, minute.to_i, second.to_i)
    raise ArgumentError, "there is no such time" if whole.nil?
    offset = zone == 0 ? 0 : Native.offset(zone, whole, true)
    raise ArgumentError, "there is no time zone \"#{zone}\"" if offset.nil?
    rest = second.is_a?(Float) ? ((second - second.to_i) * 1000000000).round : (micros.to_f * 1000).to_i
    __make((whole - offset) * 1000000000 + rest, offset, zone == 0)
  end
  MONTHS = %w[jan feb mar apr may jun jul aug sep oct nov dec]
  def self.utc(*all) = __civil(0, *all)
  def self.gm(*all) = __civil(0, *all)
  def self.local(*all) = __civil("localtime", *all)
  def self.mktime(*all) = __civil("localtime", *all)
  def self.new(*all)
    return now if all.empty?
    all[6].is_a?(String) ? __civil(all[6] == "UTC" ? 0 : all[6], *all[0, 6]) : __civil("localtime", *all)
  end
  def self.parse(text, now = nil)
    ns = Native.parse_time(text.to_s.strip)
    raise ArgumentError, "no time information in \"#{text}\"" if ns.nil?
    text.end_with?("Z") || text.end_with?("UTC") || text.end_with?("GMT") ? __make(ns, 0, true) : __local(ns)
  end
  def self.iso8601(text) = parse(text)
  JODA = {"Y" => "yyyy", "y" => "yy", "m" => "MM", "d" => "dd", "e" => "d", "H" => "HH", "k" => "H", "I" => "hh",
    "l" => "h", "M" => "mm", "S" => "ss",
    "L" => "SSS", "N" => "SSSSSSSSS", "b" => "MMM", "B" => "MMMM", "h" => "MMM", "a" => "EEE",
    "A" => "EEEE", "p" => "a", "P" => "a", "z" => "Z", "Z" => "z", "j" => "DDD", "F" => "yyyy-MM-dd", "T" => "HH:mm:ss"}
  def self.strptime(text, format)
    return at(text.to_i) if format == "%s"
    return at(0, text.to_i, :millisecond) if format == "%Q"
    joda = format.gsub(/%-?([a-zA-Z%])|([a-zA-Z]+)/) do
      raise ArgumentError, "%#{$1} is not read here" unless $2 || $1 == "%" || JODA.key?($1)
      $2 ? "'#{$2}'" : $1 == "%" ? "%" : JODA[$1]
    end
    ns = Native.parse_time(text, joda)
    raise ArgumentError, "\"#{text}\" does not match \"#{format}\"" if ns.nil?
    __local(ns)
  end
  def __set(ns, offset, utc)
    @ns = ns
    @offset = offset
    @utc = utc
  end
  def __ns = @ns
  def __clock = @clock ||= Native.clock(@ns, @offset)
  def year = __clock[0]
  def month = __clock[1]
  def mon = __clock[1]
  def day = __clock[2]
  def mday = __clock[2]
  def hour = __clock[3]
  def min = __clock[4]
  def sec = __clock[5]
  def wday = __clock[6]
  def yday = __clock[7]
  def sunday? = wday == 0
  def monday? = wday == 1
  def tuesday? = wday == 2
  def wednesday? = wday == 3
  def thursday? = wday == 4
  def friday? = wday == 5
  def saturday? = wday == 6
  def nsec = @ns.modulo(1000000000)
  def usec = nsec / 1000
  def to_i = @ns / 1000000000
  def to_f = to_i + nsec / 1000000000.0
  def to_r = to_f
  def utc_offset = @offset
  def gmt_offset = @offset
  def utc? = @utc
  def zone = @utc ? "UTC" : strftime("%:z")
  def utc
    __set(@ns, 0, true)
    @clock = nil
    self
  end
  def gmtime = utc
  def getutc = Time.__make(@ns, 0, true)
  def getgm = getutc
  def getlocal(zone = "localtime")
    offset = zone.is_a?(Integer) ? zone : Native.offset(zone, to_i, false)
    raise ArgumentError, "there is no time zone \"#{zone}\"" if offset.nil?
    Time.__make(@ns, offset, false)
  end
  def localtime(zone = "localtime") = getlocal(zone)
  def strftime(format) = Native.strftime(format, @ns, @offset, @utc)
  def iso8601(digits = 0)
    strftime(digits == 0 ? "%FT%T" : "%FT%T.%#{digits}N") + (@utc ? "Z" : strftime("%:z"))
  end
  def xmlschema(digits = 0) = iso8601(digits)
  def to_s = strftime(@utc ? "%F %T UTC" : "%F %T %z")
  def inspect = to_s
  def to_time = self
  def <=>(other) = other.respond_to?(:__ns) ? @ns <=> other.__ns : nil
  def ==(other) = other.respond_to?(:__ns) && @ns == other.__ns
  def eql?(other) = self == other
  def hash = @ns.hash
  def -(other)
    return (@ns - other.__ns) / 1000000000.0 if other.respond_to?(:__ns)
    Time.__make(@ns - (other * 1000000000).to_i, @offset, @utc)
  end
  def +(seconds) = Time.__make(@ns + (seconds * 1000000000).to_i, @offset, @utc)
end

module JSON
  class JSONError < StandardError; end
  class ParserError < JSONError; end
  class GeneratorError < JSONError; end
  def self.parse(text, options = nil)
    raise TypeError, "no text to read JSON from" unless text.is_a?(String)
    value = Native.parse_json(text)
    options && options[:symbolize_names] ? __symbols(value) : value
  end
  def self.load(text) = text.nil? ? nil : parse(text)
  def self.generate(value, *all) = Native.json(value)
  def self.pretty_generate(value, *all) = Native.json(value)
  def self.dump(value) = Native.json(value)
  def self.__symbols(value)
    case value
    when Hash then value.each_with_object({}) { |(name, one), all| all[name.to_sym] = __symbols(one) }
    when Array then value.map { |one| __symbols(one) }
    else value
    end
  end
end

module Base64
  def self.strict_encode64(text) = [text].pack("m0")
  def self.encode64(text) = [text].pack("m")
  def self.urlsafe_encode64(text, padding: true)
    encoded = strict_encode64(text).tr("+/", "-_")
    padding ? encoded : encoded.delete("=")
  end
  def self.decode64(text) = text.unpack1("m")
  def self.strict_decode64(text)
    whole = /\A(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?\z/
    raise ArgumentError, "invalid base64" unless text.match?(whole)
    text.unpack1("m")
  end
  def self.urlsafe_decode64(text) = text.tr("-_", "+/").unpack1("m")
end

module Digest
  class Base
    def self.digest(text) = Native.digest(self::NUMBER, nil, text)
    def self.hexdigest(text) = digest(text).unpack1("H*")
    def self.base64digest(text) = Base64.strict_encode64(digest(text))
    def initialize = @text = ""
    def update(text)
      @text += text
      self
    end
    def <<(text) = update(text)
    def digest = self.class.digest(@text)
    def hexdigest = self.class.hexdigest(@text)
    def __number = self.class::NUMBER
  end
  class MD5 < Base; NUMBER = 0; end
  class SHA1 < Base; NUMBER = 1; end
  class SHA256 < Base; NUMBER = 2; end
  class SHA384 < Base; NUMBER = 3; end
  class SHA512 < Base; NUMBER = 4; end
  SHA2 = SHA256
end

module OpenSSL
  module Digest
    MD5 = ::Digest::MD5
    SHA1 = ::Digest::SHA1
    SHA256 = ::Digest::SHA256
    SHA384 = ::Digest::SHA384
    SHA512 = ::Digest::SHA512
    def self.new(name) = const_get(name.to_s.upcase.delete("-")).new
  end
  module HMAC
    def self.digest(digest, key, text)
      digest = OpenSSL::Digest.new(digest) if digest.is_a?(String)
      Native.digest(digest.__number, key, text)
    end
    def self.hexdigest(digest, key, text) = digest(digest, key, text).unpack1("H*")
  end
end

module SecureRandom
  def self.hex(bytes = 16) = (0...bytes * 2).map { rand(16).to_s(16) }.join
  def self.uuid
    digits = hex
    digits = digits[0, 12] + "4" + digits[13, 3] + "89ab".chars[rand(4)] + digits[17, 15]
    [digits[0, 8], digits[8, 4], digits[12, 4], digits[16, 4], digits[20, 12]].join("-")
  end
end

class Mutex
  def synchronize = yield
  def lock = self
  def unlock = self
end
)ruby";

}  // namespace enclave::pipeline::ruby
