"""The platform's side of the service: invoke a trigger, resume a flow, look at executions."""
