#include "pipeline/ruby/state.h"

namespace enclave::pipeline::ruby {

/// Regular expressions, texts by characters, and a few methods of other classes that the library lacks.
const std::string_view kTextPrelude = R"ruby(
class Regexp
  IGNORECASE = 1
  EXTENDED = 2
  MULTILINE = 4
  def self.compile(*all) = new(*all)
  def self.escape(text)
    escaped = text.to_s.gsub(/[.*?+^$|\\()\[\]{}\- ]/) { "\\" + $~[0] }
    escaped.gsub("\n") { "\\n" }.gsub("\t") { "\\t" }
  end
  def self.quote(text) = escape(text)
  def self.union(*all) = new(all.flatten.map { |one| one.is_a?(Regexp) ? one.to_s : escape(one) }.join("|"))
  def self.last_match(number = nil) = number && $~ ? $~[number] : $~
  attr_reader :source, :options
  def initialize(source, options = nil, encoding = nil)
    if source.is_a?(Regexp)
      @source = source.source
      @options = source.options
    else
      @source = source
      @options = 0
      if options.is_a?(Integer)
        @options = options
      elsif options.is_a?(String)
        @options |= 1 if options.include?("i")
        @options |= 2 if options.include?("x")
        @options |= 4 if options.include?("m")
      elsif options
        @options = 1
      end
    end
    __check
  end
  def match(text, from = 0)
    if text.nil?
      $~ = nil
      return nil
    end
    text = text.to_s
    at = from == 0 ? 0 : text.__byte_at(from)
    found = at && __match(text, at)
    found && block_given? ? yield(found) : found
  end
  def =~(text)
    found = match(text)
    found && found.begin(0)
  end
  def ===(text) = (text.is_a?(String) || text.is_a?(Symbol)) && !match(text.to_s).nil?
  def names = __names.sort_by { |one| one[1] }.map { |one| one[0] }.uniq
  def named_captures = __names.group_by { |one| one[0] }.transform_values { |all| all.map { |one| one[1] } }
  def __letters = (@options & 4 != 0 ? "m" : "") + (@options & 1 != 0 ? "i" : "") + (@options & 2 != 0 ? "x" : "")
  def to_s = "(?#{__letters.tr("m", "s")}:#{@source})"
  def inspect = "/#{@source}/#{__letters}"
  def ==(other) = other.is_a?(Regexp) && @source == other.source && @options == other.options
  def eql?(other) = self == other
  def hash = @source.hash
end

class MatchData
  attr_reader :regexp
  def string = @subject
  def size = @places.size / 2
  def length = size
  def __part(number)
    return nil if number < 0 || number >= size || @places[number * 2].nil?
    @subject.byteslice(@places[number * 2], @places[number * 2 + 1] - @places[number * 2])
  end
  def __number(name)
    return name if name.is_a?(Integer)
    known = @regexp.__names.select { |one| one[0] == name.to_s }
    raise IndexError, "undefined group name reference: #{name}" if known.empty?
    (known.find { |one| @places[one[1] * 2] } || known[0])[1]
  end
  def [](number, count = nil)
    return to_a[number, count] if count
    return to_a[number] if number.is_a?(Range)
    number = __number(number)
    __part(number < 0 ? number + size : number)
  end
  def begin(number)
    at = @places[__number(number) * 2]
    at && @subject.__character_at(at)
  end
  def end(number)
    at = @places[__number(number) * 2 + 1]
    at && @subject.__character_at(at)
  end
  def offset(number) = [self.begin(number), self.end(number)]
  def __from = @places[0]
  def __to = @places[1]
  def to_a = (0...size).map { |number| __part(number) }
  def captures = to_a[1..-1]
  def names = @regexp.names
  def named_captures(symbolize_names: false)
    names.each_with_object({}) { |name, all| all[symbolize_names ? name.to_sym : name] = self[name] }
  end
  def values_at(*numbers) = numbers.map { |number| self[number] }
  def pre_match = @subject.byteslice(0, @places[0])
  def post_match = @subject.byteslice(@places[1], @subject.bytesize - @places[1])
  def to_s = __part(0)
  def inspect = "#<MatchData #{to_s.inspect}>"
end

class String
  alias __bytes_at []
  alias __bytes_index index
  alias __bytes_rindex rindex
  alias __bytes_reverse reverse
  alias __bytes_split split
  alias __bytes_start_with start_with?

  def [](at, count = nil)
    if at.is_a?(Regexp)
      found = at.match(self)
      return found && found[count || 0]
    end
    return count ? __bytes_at(at, count) : __bytes_at(at) if at.is_a?(String) || ascii_only?
    if at.is_a?(Range)
      all = length
      first = at.begin || 0
      last = at.end || -1
      first += all if first < 0
      last += all if last < 0
      last -= 1 if at.end && at.exclude_end?
      return nil if first < 0 || first > all
      return __slice(first, last - first + 1 < 0 ? 0 : last - first + 1)
    end
    count ? __slice(at, count) : at < length && at >= -length ? __slice(at, 1) : nil
  end
  def __slice(from, count)
    return nil if count < 0
    first = __byte_at(from)
    return nil if first.nil?
    rest = byteslice(first, bytesize - first)
    rest.byteslice(0, rest.__byte_at(count) || rest.bytesize)
  end
  def slice(*all) = self[*all]
  def slice!(at, count = nil)
    part = count ? self[at, count] : self[at]
    return nil if part.nil?
    if at.is_a?(Regexp)
      replace($~.pre_match + $~.post_match) if count.nil?
    elsif at.is_a?(String)
      sub!(at, "")
    else
      from = at.is_a?(Range) ? at.begin || 0 : at
      from += length if from < 0
      first = __byte_at(from)
      replace(byteslice(0, first) + byteslice(first + part.bytesize, bytesize))
    end
    part
  end
  def each_char(&block)
    return to_enum(:each_char) unless block
    chars.each(&block)
    self
  end
  def reverse = ascii_only? ? __bytes_reverse : chars.reverse.join
  def reverse! = replace(reverse)
  def index(what, from = 0)
    from += length if from < 0
    at = __byte_at(from)
    return nil if at.nil? || from < 0
    if what.is_a?(Regexp)
      found = what.__match(self, at)
      return found && found.begin(0)
    end
    at = __bytes_index(what, at)
    at && __character_at(at)
  end
  def rindex(what, from = nil)
    if what.is_a?(Regexp)
      from = from ? from < 0 ? from + length : from : length
      from.downto(0) do |one|
        found = what.__match(self, __byte_at(one) || bytesize)
        return one if found && found.begin(0) == one
      end
      return nil
    end
    at = from ? __bytes_rindex(what, __byte_at(from) || bytesize) : __bytes_rindex(what)
    at && __character_at(at)
  end
  def =~(regexp)
    raise TypeError, "type mismatch: String given" if regexp.is_a?(String)
    regexp =~ self
  end
  def match(regexp, from = 0, &block) = (regexp.is_a?(Regexp) ? regexp : Regexp.new(regexp)).match(self, from, &block)
  def match?(regexp, from = 0)
    (regexp.is_a?(Regexp) ? regexp : Regexp.new(regexp)).match?(from == 0 ? self : self[from..-1])
  end
  def start_with?(*all)
    all.any? { |one| one.is_a?(Regexp) ? (found = one.match(self)) && found.__from == 0 : __bytes_start_with(one) }
  end
  def __pattern(what)
    return what if what.is_a?(Regexp)
    Regexp.new("\\Q" + what.to_s.split("\\E", -1).join("\\E\\\\E\\Q") + "\\E")
  end
  def __substitute(what, with, all, block)
    regexp = __pattern(what)
    return regexp.__replace(self, with.to_s, all) if with && !with.is_a?(Hash)
    out = nil
    copied = from = 0
    while from <= bytesize && (found = regexp.__match(self, from))
      out ||= ""
      out << byteslice(copied, found.__from - copied)
      out << (with ? with[found.to_s] : block.call(found.to_s)).to_s
      copied = from = found.__to
      if found.__to == found.__from
        from += 1
        from += 1 while from < bytesize && getbyte(from) & 0xc0 == 0x80
      end
      break unless all
    end
    out && out << byteslice(copied, bytesize - copied)
  end
  def gsub(what, with = nil, &block)
    return to_enum(:gsub, what) unless with || block
    __substitute(what, with, true, block) || dup
  end
  def sub(what, with = nil, &block) = __substitute(what, with, false, block) || dup
  def gsub!(what, with = nil, &block)
    out = __substitute(what, with, true, block)
    out && replace(out)
  end
  def sub!(what, with = nil, &block)
    out = __substitute(what, with, false, block)
    out && replace(out)
  end
  def scan(what)
    found = __pattern(what).__scan(self)
    return found unless block_given?
    found.each { |one| yield one }
    self
  end
  def split(what = nil, limit = 0)
    return [] if empty?
    return limit == 0 ? __bytes_split : __bytes_split(" ", limit) if what.nil? || what == " "
    return limit == 0 ? __bytes_split(what) : __bytes_split(what, limit) if what.is_a?(String) && what != ""
    parts = what == "" ? limit > 0 ? Regexp.new("").__split(self, limit) : chars : what.__split(self, limit)
    parts.pop while limit == 0 && !parts.empty? && parts[-1].empty?
    parts
  end
  def partition(what)
    found = __pattern(what).match(self)
    found ? [found.pre_match, found[0], found.post_match] : [dup, "", ""]
  end
  def rpartition(what)
    at = rindex(what)
    return ["", "", dup] if at.nil?
    part = what.is_a?(Regexp) ? $~[0] : what
    first = __byte_at(at)
    [byteslice(0, first), part, byteslice(first + part.bytesize, bytesize)]
  end
  def insert(at, text)
    at += length + 1 if at < 0
    first = __byte_at(at)
    raise IndexError, "index #{at} out of string" if first.nil?
    replace(byteslice(0, first) + text + byteslice(first, bytesize))
  end
  def []=(at, *rest)
    text = rest.pop
    if at.is_a?(Regexp)
      raise IndexError, "regexp not matched" unless sub!(at) { text }
    elsif at.is_a?(String)
      raise IndexError, "string not matched" unless include?(at)
      sub!(at) { text }
    else
      old = self[at, *rest]
      raise IndexError, "index out of string" if old.nil?
      from = at.is_a?(Range) ? at.begin || 0 : at
      from += length if from < 0
      first = __byte_at(from)
      replace(byteslice(0, first) + text + byteslice(first + old.bytesize, bytesize))
    end
    text
  end
  def ljust(width, pad = " ") = self + __padding(width - length, pad)
  def rjust(width, pad = " ") = __padding(width - length, pad) + self
  def center(width, pad = " ")
    more = width - length
    more <= 0 ? dup : __padding(more / 2, pad) + self + __padding(more - more / 2, pad)
  end
  def __padding(count, pad) = count <= 0 ? "" : (pad * (count / pad.length + 1))[0, count]
  def encoding = "UTF-8"
  def encode(*all) = dup
  def force_encoding(*all) = self
  def unicode_normalize(*all) = dup
  def b = dup
  def scrub(with = "\uFFFD")
    valid_encoding? ? dup : JSON.parse(JSON.generate([self]))[0]
  end
  def scrub!(*all) = replace(scrub(*all))
  def squeeze(*all)
    set = all[0]
    out = []
    chars.each { |one| out << one unless out[-1] == one && (set.nil? || set.include?(one)) }
    out.join
  end
end

class NilClass
  def to_h = {}
  def =~(other) = nil
end

module Enumerable
  def sum(start = 0)
    each { |one| start = start + (block_given? ? yield(one) : one) }
    start
  end
  def each_entry(&block) = each(&block)
  def chunk_while
    groups = []
    last = nil
    each do |one|
      groups.empty? || !yield(last, one) ? groups << [one] : groups[-1] << one
      last = one
    end
    groups
  end
end

class Array
  def sum(start = 0)
    each { |one| start = start + (block_given? ? yield(one) : one) }
    start
  end
  def filter_map
    out = []
    each { |one| (made = yield(one)) && out << made }
    out
  end
  def none?(&block) = !any?(&block)
end

class Integer
  def digits(base = 10) = to_s(base).reverse.chars.map { |one| one.to_i(base) }
  def fdiv(other) = to_f / other
  def pred = self - 1
  def bit_length = self < 0 ? (~self).bit_length : self == 0 ? 0 : to_s(2).size
end

class Hash
  def sum(start = 0)
    each { |name, one| start = start + yield(name, one) }
    start
  end
end
)ruby";

}  // namespace enclave::pipeline::ruby
