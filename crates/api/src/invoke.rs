//! `POST /v1/targets/{target}/calls`: a named operation. It is the target's own call: one decision, one entry.

use gate::model::{OperationName, Refusal, RefusalKind};
use gate::{Ended, Gate, OwnAnswer, OwnRequest, Prepared, Session};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::reply::strict;

/// A call of a named operation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallRequest {
    /// The operation's name: `customers.read`, or as tools list it: `customers_read`.
    pub(crate) operation: String,
    /// Its arguments, as its JSON Schema says.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) arguments: serde_json::Value,
}

/// Runs one. The answer is the target's: its status and its body, masked.
pub(crate) async fn invoke(gate: &Gate, target: &str, request: OwnRequest) -> Result<OwnAnswer, Ended> {
    let OwnRequest { arrival, credential, waiting, body, parameters, .. } = request;
    let session = gate.identify(&arrival, target, credential.as_ref()).await?;
    let unread = |refusal| gate.refuse_unread(&session, refusal);
    if !parameters.is_empty() {
        let detail = "a named operation takes its arguments in the body, and no query";
        return Err(unread(Refusal::new(RefusalKind::NotUnderstood, detail)));
    }
    let room = gate.room().map_err(unread)?;
    let whole = body.read(room).await.map_err(unread)?;
    let prepared = strict(&whole.bytes).and_then(|request| prepare(&session, request)).map_err(unread)?;
    let admitted = gate.admit(&session, prepared.proposal(), &*waiting).await?;
    let cleared = gate.begin(admitted).await?;
    let answer = prepared.run(gate, cleared).await?;
    Ok(OwnAnswer { status: answer.status(), media: answer.media(), body: answer })
}

/// Finds the operation, checks the arguments and binds them, once.
fn prepare(session: &Session, request: CallRequest) -> Result<Box<dyn Prepared>, Refusal> {
    let not_understood = |detail: String| Refusal::new(RefusalKind::NotUnderstood, detail);
    let target = session.target();
    // An operation that is not there and one that may not be called are told apart by nobody.
    let denied = || Refusal::new(RefusalKind::Denied, "no policy permits it, or there is no such operation");
    let protocol = target.protocol().ok_or_else(denied)?;
    let by_name =
        OperationName::parse(&request.operation).ok().and_then(|name| target.operations().get(&name));
    let as_tool =
        || target.operations().iter().find(|operation| operation.name().tool_name() == request.operation);
    let operation = by_name.or_else(as_tool).ok_or_else(denied)?;
    let arguments = if request.arguments.is_null() { serde_json::json!({}) } else { request.arguments };
    let arguments =
        operation.parameters().check(arguments).map_err(|error| not_understood(error.to_string()))?;
    protocol.prepare(target, operation, arguments)
}
