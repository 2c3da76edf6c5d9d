//! Which ports of loopback a quickstart takes. They are chosen once and stand in the configuration from then on, because
//! tokens name the issuer's address and an approval is bound to the target's.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context as _, ensure};

/// One address for each who listens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) gateway: SocketAddr,
    pub(super) issuer: SocketAddr,
    pub(super) demo: SocketAddr,
}

impl Ports {
    /// The gateway's as asked for, the others next to it where they are free. Port 0 takes any.
    pub(super) fn choose(listen: SocketAddr) -> anyhow::Result<Self> {
        ensure!(listen.ip().is_loopback(), "`{listen}` is not a loopback address: use 127.0.0.1 or [::1]");
        let gateway = TcpListener::bind(listen).with_context(|| {
            format!(
                "cannot listen on `{listen}`: choose another port with --listen, or 0 for any that is free"
            )
        })?;
        // All are held until all are chosen, so that no port is chosen twice.
        let issuer = next_to(listen, 1)?;
        let demo = next_to(listen, 2)?;
        Ok(Self { gateway: gateway.local_addr()?, issuer: issuer.local_addr()?, demo: demo.local_addr()? })
    }
}

fn next_to(listen: SocketAddr, by: u16) -> anyhow::Result<TcpListener> {
    let neighbour = if listen.port() == 0 { 0 } else { listen.port().checked_add(by).unwrap_or(0) };
    TcpListener::bind((listen.ip(), neighbour))
        .or_else(|_| TcpListener::bind((listen.ip(), 0)))
        .context("there is no free port on loopback")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_chosen_twice_and_a_taken_one_is_stepped_over() {
        let any = Ports::choose("127.0.0.1:0".parse().unwrap()).unwrap();
        assert!(any.gateway != any.issuer && any.issuer != any.demo && any.gateway != any.demo);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = Ports::choose(address).unwrap_err().to_string();
        assert!(error.contains("--listen"), "{error}");
        assert_ne!(
            next_to(SocketAddr::new(address.ip(), address.port() - 1), 1).unwrap().local_addr().unwrap(),
            address
        );
    }

    #[test]
    fn an_address_off_loopback_is_refused() {
        assert!(Ports::choose("0.0.0.0:0".parse().unwrap()).is_err());
    }
}
