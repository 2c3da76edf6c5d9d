//! `kill -9` from outside, in the middle of payments and reads, again and again on the same folder.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use testkit::{Scene, Signal, eventually};

use super::{approval, begun, events, text, verifies};
use crate::PROGRAM;

const ROUNDS: usize = 20;
const PAYERS: usize = 3;
const READERS: usize = 2;
/// A round ends after at most so many answers.
const ANSWERS: usize = 60;

/// A payment as its client knows it. It is signed for once; a request for another signature is left alone.
#[derive(Clone, Default)]
struct Payment {
    reason: String,
    /// The first approval that it was told of.
    id: String,
    paid: bool,
    /// Another signature was asked for: the first is used, and the call may have run.
    asked_anew: bool,
}

#[test]
fn killed_at_any_moment_no_effect_lacks_a_record_and_none_happens_twice() {
    let mut scene = Scene::write(PROGRAM, |builder| builder);
    let mut random = Random(0x5eed);
    let mut payers = vec![Vec::<Payment>::new(); PAYERS];
    for _ in 0..ROUNDS {
        scene.gateway.start();
        round(&mut scene, &mut payers, random.below(ANSWERS));
    }
    scene.gateway.start();
    let payments: Vec<Payment> =
        payers.iter_mut().flatten().map(|payment| settled(&scene, payment.clone())).collect();
    assert!(
        payments.iter().filter(|payment| payment.paid).count() > ROUNDS,
        "the load was too small to say anything"
    );
    agree(&scene, &payments);
    verifies(&mut scene);
}

/// Runs the load until so many answers came, then kills the gateway and waits for the clients to notice.
fn round(scene: &mut Scene, payers: &mut [Vec<Payment>], answers: usize) {
    let (answered, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|threads| {
        let here = &*scene;
        for (number, payments) in payers.iter_mut().enumerate() {
            let (answered, ended) = (&answered, &ended);
            threads.spawn(move || pay(here, number, payments, answered, ended));
        }
        for _ in 0..READERS {
            threads.spawn(|| read(here, &answered, &ended));
        }
        eventually("the load is answered", || (answered.load(Ordering::SeqCst) >= answers).then_some(()));
        here.gateway.signal(Signal::KILL);
        ended.store(true, Ordering::SeqCst);
    });
    scene.gateway.kill();
}

/// Finishes what was left open, then makes new payments until the gateway is gone.
fn pay(
    scene: &Scene,
    number: usize,
    payments: &mut Vec<Payment>,
    answered: &AtomicUsize,
    ended: &AtomicBool,
) {
    for at in 0.. {
        if at == payments.len() {
            payments.push(Payment { reason: format!("payer {number} payment {at}"), ..Payment::default() });
        }
        let Some(payment) = payments.get_mut(at) else { return };
        while !payment.paid && !payment.asked_anew {
            if step(scene, payment).is_none() || ended.load(Ordering::SeqCst) {
                return;
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Sends a payment once, and signs for it if it asks. `None` when the gateway is gone.
fn step(scene: &Scene, payment: &mut Payment) -> Option<()> {
    let answer = scene.payment(&payment.reason).try_send().ok()?;
    match answer.status {
        201 => payment.paid = true,
        403 => {
            let id = answer.at("/approval/id");
            assert!(!id.is_empty(), "{}", answer.text());
            if payment.id.is_empty() {
                payment.id.clone_from(&id);
            }
            if payment.id == id {
                // Signed already, in a round whose end swallowed the answer: then this is a conflict, and no harm.
                let signed = scene.approval(&id).try_send().ok()?;
                assert!(matches!(signed.status, 200 | 409), "{}", signed.text());
            } else {
                payment.asked_anew = true;
            }
        }
        other => panic!("a payment was answered with {other}: {}", answer.text()),
    }
    Some(())
}

fn read(scene: &Scene, answered: &AtomicUsize, ended: &AtomicBool) {
    while !ended.load(Ordering::SeqCst) {
        let Ok(answer) = scene.gateway.get("/t/demo/customers/1").bearer(&scene.function()).try_send() else {
            return;
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// Brings a payment to its end on a gateway that nobody kills.
fn settled(scene: &Scene, mut payment: Payment) -> Payment {
    while !payment.paid && !payment.asked_anew {
        step(scene, &mut payment).unwrap();
    }
    payment
}

/// The target's file, the journal and the store say the same.
fn agree(scene: &Scene, payments: &[Payment]) {
    let mut ran = BTreeMap::<String, usize>::new();
    for call in begun(scene) {
        if text(&call, "/verb") != "read" {
            *ran.entry(text(&call, "/approval")).or_default() += 1;
        }
    }
    let reused: Vec<_> = ran.iter().filter(|(_, calls)| **calls != 1).collect();
    assert!(reused.is_empty(), "a signature was used by several calls: {reused:?}");
    for payment in payments {
        let paid = scene.paid(&payment.reason);
        let signed = approval(scene, &payment.id);
        let used_by = text(&signed, "/used_by");
        assert!(paid <= 1, "`{}` was paid {paid} times", payment.reason);
        assert!(paid == 1 || !payment.paid, "`{}` was answered and not done", payment.reason);
        assert_eq!(text(&signed, "/state"), "used", "`{}`", payment.reason);
        assert_eq!(ran.get(&payment.id), Some(&1), "`{}` has no record of its own", payment.reason);
        let outcome =
            events(scene, &used_by).iter().map(|event| text(event, "/outcome/outcome")).collect::<String>();
        // What was answered may end as interrupted too: the end is written with the next group, which the kill prevented.
        assert!(
            ["answered", "interrupted"].contains(&outcome.as_str()),
            "`{}` ended as `{outcome}`",
            payment.reason
        );
    }
}

/// Numbers that look random and are the same at every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap_or(0)
    }
}
