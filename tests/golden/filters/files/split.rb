def register(params)
  @field = params["field"]
end

def filter(event)
  return [event] unless event.include?(@field)
  event.get(@field).each_with_index do |item, i|
    event.set("first", item) if i == 0
  end
  event.remove(@field)
  [event]
end

test "the first goes on" do
  parameters { { "field" => "list" } }
  in_event { { "list" => ["a"] } }
  expect("one event") { |events| events.size == 1 }
end
