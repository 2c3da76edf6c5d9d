use gate::Session;

fn session(session: Session) -> Session {
    session
}

fn main() {}
