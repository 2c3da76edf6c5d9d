//! The way of a request to our own interface: routed, identified, admitted, begun, handled, answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use gate::model::{Accesses, Call, CallId, Refusal, RefusalKind};
use gate::policy::ActionModel;
use gate::{Ended, Gate, Interface, OWN, OwnAnswer, OwnRequest, Proposal, own_action};

use crate::invoke;
use crate::reply::{Asked, Reply, Stop};
use crate::routes::{Found, ROUTES, Route, find, own_name};

/// The actions of our own interface, for the schema of policies.
#[must_use]
pub fn own_actions() -> Vec<ActionModel> {
    ROUTES.iter().map(|route| own_action(route.action, route.verb, route.on)).collect()
}

/// The interface, for a protocol to hand requests to.
#[must_use]
pub fn interface(gate: Gate) -> Interface {
    Arc::new(move |request| {
        let gate = gate.clone();
        Box::pin(async move {
            match find(&request.method, &request.segments) {
                Found::Route(route, parameter) => own(&gate, route, parameter, request).await,
                Found::Invoke(target) => invoke::invoke(&gate, &target, request).await,
                Found::OtherMethod => Err(unknown(&gate, request, "this path is for another method").await),
                Found::Nothing => Err(unknown(&gate, request, "there is nothing at this path").await),
            }
        })
    })
}

/// Only who is known is told what there is not.
async fn unknown(gate: &Gate, request: OwnRequest, detail: &str) -> Ended {
    match gate.identify(&request.arrival, OWN, request.credential.as_ref()).await {
        Ok(session) => gate.refuse_unread(&session, Refusal::new(RefusalKind::NotUnderstood, detail)),
        Err(ended) => ended,
    }
}

async fn own(
    gate: &Gate,
    route: &'static Route,
    parameter: Option<String>,
    request: OwnRequest,
) -> Result<OwnAnswer, Ended> {
    let OwnRequest { arrival, credential, parameters, waiting, body, .. } = request;
    let session = gate.identify(&arrival, OWN, credential.as_ref()).await?;
    let unread = |refusal| gate.refuse_unread(&session, refusal);
    let query = known(route, parameters).map_err(unread)?;
    let whole = match route.method {
        "GET" => None,
        _ => Some(body.read(gate.room().map_err(unread)?).await.map_err(unread)?),
    };
    let body = whole.as_ref().map(|whole| whole.bytes.clone()).unwrap_or_default();
    let asked = Asked { parameter, query, body };
    let call =
        call(route, &asked).ok_or_else(|| unread(Refusal::new(RefusalKind::Denied, "no such interface")))?;
    let admitted = gate.admit(&session, Proposal { call, body: None }, &*waiting).await?;
    let cleared = gate.begin(admitted).await?;
    let reply = match (route.handler)(gate, &session, &asked).await {
        Ok(reply) => reply,
        Err(Stop::NotFound(detail)) => Reply::not_found(&detail),
        Err(Stop::Refused(refusal)) => return Err(cleared.give_up(refusal)),
    };
    let open = gate.serve(cleared, reply.status, reply.body).await?;
    Ok(OwnAnswer { status: reply.status, media: reply.media, body: Box::new(open) })
}

/// The query's parameters, if the route knows each and each is given once.
fn known(route: &Route, parameters: Vec<(String, String)>) -> Result<Vec<(String, String)>, Refusal> {
    for (index, (name, _)) in parameters.iter().enumerate() {
        if !route.query.iter().any(|(known, _)| known == name) {
            let names: Vec<&str> = route.query.iter().map(|(name, _)| *name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Refusal::new(
                RefusalKind::NotUnderstood,
                format!("unknown query parameter; known: {known}"),
            ));
        }
        if parameters.iter().take(index).any(|(before, _)| before == name) {
            return Err(Refusal::new(RefusalKind::NotUnderstood, format!("`{name}` is given twice")));
        }
    }
    Ok(parameters)
}

fn call(route: &Route, asked: &Asked) -> Option<Call> {
    let own = own_name()?;
    let path = match (&asked.parameter, route.path.find('{'), route.path.find('}')) {
        (Some(value), Some(start), Some(end)) => {
            let (before, after) = (route.path.get(..start)?, route.path.get(end + 1..)?);
            format!("{before}{value}{after}")
        }
        _ => route.path.to_owned(),
    };
    Some(Call {
        id: CallId::new(),
        accesses: Accesses::one(route.access(&own, asked.parameter.as_deref())),
        target: own,
        context: BTreeMap::new(),
        sentence: format!("{} {path}", route.method),
        heads: serde_json::json!({ "method": route.method, "path": path }),
        sent: None,
    })
}
