//! Running an instance that waits for nobody: whoever is on its way lets the others go first, once. It must not let time pass.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// More than any flow polls.
const MOST_POLLS: u32 = 1_000_000;

/// Nobody else wakes anything here, so whatever is polled without end would wait for ever: `None`.
pub(super) fn to_the_end<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

/// What else is on its way comes to its turn.
pub(super) async fn once_more() {
    let waited = Cell::new(false);
    poll_fn(|context| {
        if waited.replace(true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
