use gate::Session;

fn session(session: Session) -> Session {
    Session(session.0)
}

fn main() {}
