//! Waiting for nobody: whoever is on its way lets the others go first, once. It must not let time pass.

use std::{cell::Cell, future::poll_fn, task::Poll};

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
