"""A first Action that runs, and a test case that passes."""

from __future__ import annotations

from string import Template
from typing import Final

from runner.flow.handlers import snake_case
from sandbox.core.program import Language
from triggers import Trigger

_JAVASCRIPT: Final = Template("""\
/**
 * $summary
 *
 * Trigger: $id. `actionbox types $id` prints what event and api offer.
 */
exports.$handler = async (event, api) => {
  console.log("running for trigger $id");
$more};
""")
_JAVASCRIPT_CONTINUE: Final = Template("""
// Called when the user comes back from a redirect or a form of this Action.
exports.$handler = async (event, api) => {};
""")
_PYTHON: Final = Template('''\
"""$summary

Trigger: $id. `actionbox types $id --language py` prints what event and api offer.
"""


async def $handler(event, api):
    print("running for trigger $id")
$more''')
_PYTHON_CONTINUE: Final = Template('''

async def $handler(event, api):
    """Called when the user comes back from a redirect or a form of this Action."""
''')
_MORE: Final = {
    ("custom-token-exchange", Language.JAVASCRIPT): """\
  // Verify event.transaction.subject_token first, and refuse what is not valid:
  // api.access.rejectInvalidSubjectToken("...")
  api.authentication.setUserById("auth0|the-user-that-the-token-stands-for");
""",
    ("custom-token-exchange", Language.PYTHON): """\
    # Verify event.transaction.subject_token first, and refuse what is not valid:
    # api.access.reject_invalid_subject_token("...")
    api.authentication.set_user_by_id("auth0|the-user-that-the-token-stands-for")
""",
}
"""What an Action of the trigger has to do at least."""
_CASE: Final = Template("""\
# `actionbox test $case` runs this; docs/testing.md describes the format.
trigger: $id
actions: [$file]
cases:
  - name: allows on the example event
    expect:
      decision: allow
      logs: [running for trigger $id]
""")


def file_name(trigger: str, language: Language) -> str:
    """As files of the language are called, so that an Action in each fits into one folder."""
    return f"{trigger.replace('-', '_')}.py" if language is Language.PYTHON else f"{trigger}.js"


def case_text(trigger: str, file: str, case: str) -> str:
    """The case file `case` of the Action in `file`, beside it."""
    return _CASE.substitute(id=trigger, file=file, case=case)


def action_text(trigger: Trigger, language: Language) -> str:
    """The source of a first Action."""
    python = language is Language.PYTHON
    first, second = (_PYTHON, _PYTHON_CONTINUE) if python else (_JAVASCRIPT, _JAVASCRIPT_CONTINUE)

    def spelled(name: str) -> str:
        return snake_case(name) if python else name

    text = first.substitute(
        summary=trigger.summary,
        id=trigger.id,
        handler=spelled(trigger.execute_handler),
        more=_MORE.get((trigger.id, language), ""),
    )
    if trigger.continue_handler is not None:
        text += second.substitute(handler=spelled(trigger.continue_handler))
    return text
