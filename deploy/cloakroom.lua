-- Cloakroom's check for HAProxy, 2.6 or later, on its own HTTP client:
--
--     http-request lua.cloakroom ADDRESS PATH COOKIE
--
-- asks whoever listens on ADDRESS at PATH, which is /auth/forward or one of its
-- policies. It lets a request in by setting the variable req.cloakroom, and by
-- nothing else: HAProxy goes on after an error in here, so that what follows has to
-- deny a request without it.

-- Headers of the answer that tell the application who asks.
local identity = { "remote-user", "remote-name", "remote-email", "remote-groups", "x-session-id", "x-session-level" }

-- Headers of the request that the check looks at. Nothing else is sent on.
local asked = { "cookie", "authorization", "accept", "sec-fetch-mode", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for" }

-- Answers that are for the client, and the headers that come with them.
local refusals = { [302] = true, [303] = true, [401] = true, [403] = true }
local explained = { "content-type", "location", "cache-control", "vary" }

-- HAProxy's lists of values begin at 0.
local function each(values)
	local i = -1
	return function()
		i = i + 1
		return values and values[i]
	end
end

local function question(txn, headers)
	local q = { ["x-forwarded-method"] = { txn.sf:method() }, ["x-forwarded-uri"] = { txn.sf:pathq() } }
	for _, name in ipairs(asked) do
		for value in each(headers[name]) do
			q[name] = q[name] or {}
			table.insert(q[name], value)
		end
	end
	return q
end

-- strip leaves the application its own cookies.
local function strip(txn, cookies, session)
	local kept = {}
	for value in each(cookies) do
		for pair in value:gmatch("[^;]+") do
			pair = pair:match("^%s*(.-)%s*$")
			local name = pair:match("^[^=]*")
			if pair ~= "" and name ~= session and name ~= "__Secure-refresh" and name ~= "__Host-device" then
				table.insert(kept, pair)
			end
		end
	end
	txn.http:req_del_header("cookie")
	if #kept > 0 then
		txn.http:req_set_header("cookie", table.concat(kept, "; "))
	end
end

-- withhold keeps the token that a phone or a script signs in with; any other
-- Authorization is the application's.
local function withhold(txn, values)
	txn.http:req_del_header("authorization")
	for value in each(values) do
		if not value:lower():match("^%s*bearer%s+cka_") then
			txn.http:req_add_header("authorization", value)
		end
	end
end

local function refuse(txn, answer)
	local reply = txn:reply({ status = answer.status, reason = answer.reason, body = answer.body })
	for _, name in ipairs(explained) do
		for value in each(answer.headers[name]) do
			reply:add_header(name, value)
		end
	end
	txn:done(reply)
end

core.register_action("cloakroom", { "http-req" }, function(txn, address, path, session)
	local headers = txn.http:req_get_headers()
	-- HAProxy asks up to four times, and waits this many milliseconds each time.
	local answer = core.httpclient():get({
		url = "http://127.0.0.1" .. path, dst = address, headers = question(txn, headers), timeout = 1250,
	})
	if answer.status == 200 then
		for _, name in ipairs(identity) do
			for value in each(answer.headers[name]) do
				if value ~= "" then
					txn.http:req_set_header(name, value)
				end
			end
		end
		strip(txn, headers["cookie"], session)
		withhold(txn, headers["authorization"])
		txn:set_var("req.cloakroom", "let in")
	elseif refusals[answer.status] then
		refuse(txn, answer)
	end
end, 3)
