def register(params); end
