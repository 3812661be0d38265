"""What each operation of the Management API answers; see `runner.http.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runner.http.operations import Answer, Operation, ok
from runner.management.base import entity_responses, responses
from runner.management.logs import responses as log_responses
from runner.management.modules import responses as module_responses
from runner.management.providers import responses as provider_responses

_ACTIONS: Final = "/api/v2/actions/actions"
_ACTION: Final = f"{_ACTIONS}/{{action_id}}"
_VERSION: Final = f"{_ACTION}/versions/{{version_id}}"
_BINDINGS: Final = "/api/v2/actions/triggers/{trigger_id}/bindings"
_MODULES: Final = "/api/v2/actions/modules"
_MODULE: Final = f"{_MODULES}/{{module_id}}"
_PROFILES: Final = "/api/v2/token-exchange-profiles"
_PROFILE: Final = f"{_PROFILES}/{{profile_id}}"
_STREAMS: Final = "/api/v2/event-streams"
_STREAM: Final = f"{_STREAMS}/{{stream_id}}"
_EMAIL: Final = "/api/v2/emails/provider"
_PHONES: Final = "/api/v2/branding/phone/providers"
_PHONE: Final = f"{_PHONES}/{{provider_id}}"
_DELETED: Final = (Answer(204, None, "It is gone."),)

OPERATIONS: Final[Mapping[str, Operation]] = {
    f"GET {_ACTIONS}": Operation(ok(responses.ActionList, "A page of Actions.")),
    f"POST {_ACTIONS}": Operation(
        (Answer(201, responses.Action, "The new Action, to be built.", tagged=True),), (409,)
    ),
    f"GET {_ACTION}": Operation(ok(responses.Action, "The Action.", tagged=True)),
    f"PATCH {_ACTION}": Operation(
        ok(responses.Action, "The Action with its new draft, to be built.", tagged=True), (409,), matched=True
    ),
    f"DELETE {_ACTION}": Operation(_DELETED, (409,), matched=True),
    f"POST {_ACTION}/deploy": Operation(ok(responses.ActionVersion, "The new version."), matched=True),
    f"POST {_ACTION}/test": Operation(ok(responses.TestResult, "What the draft did.")),
    f"GET {_ACTION}/versions": Operation(ok(responses.ActionVersionList, "A page of versions.")),
    f"GET {_VERSION}": Operation(ok(responses.ActionVersion, "The version.")),
    f"POST {_VERSION}/deploy": Operation(ok(responses.ActionVersion, "The new version.")),
    f"GET {_VERSION}/diff/{{other_id}}": Operation(ok(responses.VersionDiff, "What changed.")),
    "GET /api/v2/actions/triggers": Operation(ok(responses.TriggerList, "The triggers.")),
    f"GET {_BINDINGS}": Operation(ok(responses.BindingList, "A page of bindings.", tagged=True)),
    f"PATCH {_BINDINGS}": Operation(
        ok(responses.BindingSet, "The bindings as they are now.", tagged=True), matched=True
    ),
    "GET /api/v2/actions/executions/{execution_id}": Operation(ok(responses.Execution, "The execution.")),
    f"GET {_MODULES}": Operation(ok(module_responses.ModuleList, "Modules.")),
    f"POST {_MODULES}": Operation(
        (Answer(201, module_responses.Module, "The new module.", tagged=True),), (409,)
    ),
    f"GET {_MODULE}": Operation(ok(module_responses.Module, "The module.", tagged=True)),
    f"PATCH {_MODULE}": Operation(
        ok(module_responses.Module, "The module with its new draft.", tagged=True), matched=True
    ),
    f"DELETE {_MODULE}": Operation(_DELETED, matched=True),
    f"GET {_MODULE}/actions": Operation(ok(module_responses.ModuleUseList, "A page of Actions.")),
    f"POST {_MODULE}/versions": Operation(ok(module_responses.ModuleVersion, "The new version."), (409, 412)),
    f"GET {_MODULE}/versions": Operation(ok(module_responses.ModuleVersionList, "A page of versions.")),
    f"GET {_MODULE}/versions/{{version_id}}": Operation(ok(module_responses.ModuleVersion, "The version.")),
    f"POST {_MODULE}/rollback": Operation(
        ok(module_responses.Module, "The module with the version's content as its draft.", tagged=True),
        (409,),
    ),
    f"GET {_PROFILES}": Operation(ok(entity_responses.ProfileList, "Profiles.")),
    f"POST {_PROFILES}": Operation((Answer(201, entity_responses.Profile, "The new profile."),), (409,)),
    f"GET {_PROFILE}": Operation(ok(entity_responses.Profile, "The profile.")),
    f"PATCH {_PROFILE}": Operation((Answer(204, None, "It is changed."),), (409,)),
    f"DELETE {_PROFILE}": Operation(_DELETED),
    f"GET {_STREAMS}": Operation(ok(entity_responses.EventStreamList, "Streams.")),
    f"POST {_STREAMS}": Operation((Answer(201, entity_responses.EventStream, "The new stream."),), (409,)),
    f"GET {_STREAM}": Operation(ok(entity_responses.EventStream, "The stream.")),
    f"PATCH {_STREAM}": Operation(ok(entity_responses.EventStream, "The stream as it is now."), (409,)),
    f"DELETE {_STREAM}": Operation(_DELETED, (409,)),
    f"GET {_STREAM}/deliveries": Operation(ok(entity_responses.DeliveryList, "Deliveries.")),
    f"GET {_STREAM}/deliveries/{{event_id}}": Operation(ok(entity_responses.Delivery, "The delivery.")),
    f"POST {_STREAM}/redeliver": Operation(
        (Answer(202, entity_responses.Redelivery, "They are tried again."),)
    ),
    f"POST {_STREAM}/redeliver/{{event_id}}": Operation((Answer(202, None, "It is tried again."),)),
    f"POST {_STREAM}/test": Operation((Answer(202, entity_responses.Delivery, "The event is on its way."),)),
    "GET /api/v2/logs": Operation(ok(list[log_responses.Log] | log_responses.LogPage, "Entries.")),
    "GET /api/v2/logs/{log_id}": Operation(ok(log_responses.Log, "The entry.")),
    f"GET {_EMAIL}": Operation(ok(provider_responses.EmailProvider, "The switch."), (404,)),
    f"POST {_EMAIL}": Operation((Answer(201, provider_responses.EmailProvider, "It is on."),), (409,)),
    f"PATCH {_EMAIL}": Operation(ok(provider_responses.EmailProvider, "The switch as it is now."), (404,)),
    f"DELETE {_EMAIL}": Operation(_DELETED, (404,)),
    f"GET {_PHONES}": Operation(ok(provider_responses.PhoneProviderList, "The switch, if there is one.")),
    f"POST {_PHONES}": Operation((Answer(201, provider_responses.PhoneProvider, "It is on."),), (409,)),
    f"GET {_PHONE}": Operation(ok(provider_responses.PhoneProvider, "The switch.")),
    f"PATCH {_PHONE}": Operation(ok(provider_responses.PhoneProvider, "The switch as it is now.")),
    f"DELETE {_PHONE}": Operation(_DELETED),
    "GET /api/v2/clients": Operation(ok(responses.Clients, "Nothing.")),
}
