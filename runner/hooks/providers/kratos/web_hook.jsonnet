// What Ory Kratos sends to actionbox from a web hook: these members and no others. Credentials, cookies,
// metadata_admin, the flow's form and headers beside these stay in Kratos.
local pick(from, names) =
  if std.isObject(from) then { [name]: from[name] for name in names if std.objectHas(from, name) } else {};
local each(list, names) = if std.isArray(list) then [pick(item, names) for item in list] else [];
local at(from, name) = if std.isObject(from) && std.objectHas(from, name) then from[name] else null;

function(ctx)
  local flow = at(ctx, 'flow');
  local login = at(flow, 'oauth2_login_request');
  local session = at(ctx, 'session');
  local identity = at(ctx, 'identity');
  {
    flow: pick(flow, ['id', 'type', 'active', 'requested_aal', 'refresh', 'organization_id', 'transient_payload']) + {
      [if std.isObject(login) then 'oauth2_login_request']:
        pick(login, ['requested_scope', 'requested_access_token_audience'])
        + { client: pick(at(login, 'client'), ['client_id', 'client_name']) },
    },
    [if std.isObject(identity) then 'identity']:
      pick(identity, [
        'id',
        'external_id',
        'schema_id',
        'state',
        'traits',
        'metadata_public',
        'organization_id',
        'created_at',
        'updated_at',
      ]) + {
        verifiable_addresses: each(at(identity, 'verifiable_addresses'), ['value', 'via', 'verified', 'status']),
        recovery_addresses: each(at(identity, 'recovery_addresses'), ['value', 'via']),
      },
    [if std.isObject(session) then 'session']:
      pick(session, ['authenticator_assurance_level', 'authenticated_at']) + {
        authentication_methods:
          each(at(session, 'authentication_methods'), ['method', 'aal', 'completed_at', 'provider']),
        devices: each(at(session, 'devices'), ['ip_address', 'user_agent', 'location']),
      },
    request_headers: pick(at(ctx, 'request_headers'), ['Accept-Language', 'True-Client-Ip', 'User-Agent']),
    request_method: at(ctx, 'request_method'),
  }
