// What the courier of Ory Kratos sends to actionbox: one message, with its code. metadata_admin, the headers
// and the rest of the identity stay in Kratos.
local pick(from, names) =
  if std.isObject(from) then { [name]: from[name] for name in names if std.objectHas(from, name) } else {};
local at(from, name) = if std.isObject(from) && std.objectHas(from, name) then from[name] else null;

function(ctx)
  local data = at(ctx, 'template_data');
  pick(ctx, ['recipient', 'subject', 'body', 'html_body', 'template_type', 'message_type']) + {
    template_data: pick(data, [
      'to',
      'login_code',
      'recovery_code',
      'registration_code',
      'verification_code',
      'recovery_url',
      'verification_url',
      'expires_in_minutes',
      'transient_payload',
    ]) + {
      identity: pick(at(data, 'identity'), [
        'id',
        'schema_id',
        'state',
        'traits',
        'metadata_public',
        'created_at',
        'updated_at',
      ]),
    },
  }
