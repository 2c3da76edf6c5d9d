//! What can be called.

use gate::{Gate, Session};
use serde::Serialize;
use utoipa::ToSchema;

use crate::reply::{Asked, Reply, Stop};
use crate::routes::Handled;

/// The targets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetList {
    targets: Vec<TargetView>,
}

/// One target.
#[derive(Debug, Serialize, ToSchema)]
struct TargetView {
    /// Its name.
    name: String,
    /// How it is spoken to.
    protocol: String,
    /// How many of its named operations you may call.
    operations: usize,
}

/// The named operations of a target that the caller may call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToolList {
    /// Each in MCP's tool shape: name, description, inputSchema, annotations.
    #[schema(value_type = Vec<Object>)]
    tools: Vec<serde_json::Value>,
}

pub(crate) fn list<'a>(_: &'a Gate, session: &'a Session, _: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let mut targets: Vec<TargetView> = Vec::new();
        for target in session.snapshot().targets() {
            let Some(protocol) = target.protocol() else { continue };
            let may = |operation: &&gate::operation::Operation| {
                session.may_list(target, &target.operation_access(operation).action)
            };
            let operations = target.operations().iter().filter(may).count();
            targets.push(TargetView {
                name: target.name().to_string(),
                protocol: protocol.name().to_owned(),
                operations,
            });
        }
        targets.sort_by(|a, b| a.name.cmp(&b.name));
        Reply::json(&TargetList { targets })
    })
}

pub(crate) fn operations<'a>(_: &'a Gate, session: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let name = asked.parameter.as_deref().unwrap_or_default();
        let target = session.snapshot().target(name).filter(|target| target.protocol().is_some());
        let target = target.ok_or_else(|| Stop::NotFound("there is no target of this name".to_owned()))?;
        let may = |operation: &&gate::operation::Operation| {
            session.may_list(target, &target.operation_access(operation).action)
        };
        let tools = target.operations().iter().filter(may).map(gate::operation::Operation::tool).collect();
        Reply::json(&ToolList { tools })
    })
}
