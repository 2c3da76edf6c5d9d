use gate::{Ended, Gate, Proposal, Session, ToCaller, Waiting, Wire};

fn write(_: ToCaller) {}

async fn call<W: Wire>(
    gate: &Gate,
    session: &Session,
    proposal: Proposal,
    waiting: &dyn Waiting,
    request: W::Request,
) -> Result<(), Ended> {
    let admitted = gate.admit(session, proposal, waiting).await?;
    let cleared = gate.begin(admitted).await?;
    let answer = gate.send::<W>(cleared, request).await?;
    let mut open = answer.recorded().await?.body_is(None, 200, serde_json::Value::Null)?;
    while let Some(raw) = open.next().await? {
        write(raw);
    }
    open.finish();
    Ok(())
}

fn main() {}
