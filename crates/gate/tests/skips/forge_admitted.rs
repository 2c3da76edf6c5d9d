use gate::{Admitted, Proposal, Session};

fn admit(session: Session, proposal: Proposal, admitted: Admitted) -> Admitted {
    Admitted { session, proposal, ..admitted }
}

fn main() {}
