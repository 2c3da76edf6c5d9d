//! The first administrator.

use gate::model::Secret;
use gate::{Gate, Session};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::reply::{Asked, Reply};
use crate::routes::Handled;

/// The one-time code that the gateway printed when it started without an administrator.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    code: String,
}

/// Who is an administrator now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Redeemed {
    administrator: String,
}

pub(crate) fn redeem<'a>(gate: &'a Gate, session: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let Code { code } = asked.json()?;
        let principal = &session.principal().key;
        gate.redeem(principal, &Secret::from(code)).await?;
        Reply::json(&Redeemed { administrator: principal.to_string() })
    })
}
