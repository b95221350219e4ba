//! Faults of the kind people really make, planted so that the simulation has to find every one of them: proof that its checks can
//! fail. Without the feature `planted-faults` each is off at compile time, and a component with the feature does not build; with
//! it, nothing is on unless a test switches it on, for its own thread. It must not be used for anything that a merchant could want.

#[cfg(all(feature = "planted-faults", target_family = "wasm"))]
compile_error!(
    "`planted-faults` is for the simulation only: no component may hold a planted fault"
);

/// Declares the faults with their names and sentences.
macro_rules! faults {
    ($($fault:ident = $name:literal, $sentence:literal;)+) => {
        /// What is done wrong while it is on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Planted { $(#[doc = $sentence] $fault,)+ }

        #[cfg(feature = "planted-faults")]
        impl Planted {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$fault),+];

            /// As the command line spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$fault => $name,)+ }
            }

            /// What is done wrong.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$fault => $sentence,)+ }
            }
        }
    };
}

faults! {
    CursorBeforeCommit = "cursor-before-commit", "The import's cursor moves on before the orders that it passed are stored.";
    TokensAfterUse = "tokens-after-use", "A new pair of tokens is stored when the session ends, not before its answer is used.";
    LeaseNotChecked = "lease-not-checked", "A commit no longer checks that the lease toward Next Engine is still held.";
    ConflictIgnored = "conflict-ignored", "A commit that met a conflict is taken for one that was made.";
    TimeoutIsRefusal = "timeout-is-refusal", "An upload without an answer is taken for one that did not happen.";
    OffsetPaging = "offset-paging", "Order pages are counted instead of keyed, so that a row that vanishes lets another be skipped.";
    StaleCopyRetried = "stale-copy-retried", "A refused order keeps the copy that it was refused with, whatever the shop mends.";
    SameIdentityAgain = "same-identity-again", "What replaces an undone sale is registered under the undone one's identity.";
    MoveBeforeIntent = "move-before-intent", "A stock move of ours is made before it is noted that it will be.";
    MoveDoubledOnRerun = "move-doubled-on-rerun", "A stock move whose answer was lost is made again without a look at the history.";
    UndoneMovesStay = "undone-moves-stay", "An undone sale does not give its goods back to the source store.";
    RoundingPerLine = "rounding-per-line", "Tax is rounded for each line, not for the sum of a rate.";
    PointsLeftOut = "points-left-out", "Points do not lessen the total.";
    DiscountTurned = "discount-turned", "A negative cost is added instead of taken off.";
    UtcDay = "utc-day", "The day of a moment is taken in UTC, not in Japan.";
    CreditTooEarly = "credit-too-early", "Our own sale may use up stock rows before it is known to have happened.";
    CreditNotConsumed = "credit-not-consumed", "A row of our own sale does not use its entry up, so that the till's next sale is taken for ours.";
    OwnMoveTravels = "own-move-travels", "Our own stock moves are not recognised and travel back to Next Engine.";
    RowCountedTwice = "row-counted-twice", "A history row that is read again is decided again.";
    BaselineIgnored = "baseline-ignored", "What moved before the link was switched on is sent.";
    CatchUpWithoutOverlap = "catch-up-without-overlap", "A catch-up begins behind the second in which the last one began.";
    WebhookNotStored = "webhook-not-stored", "A webhook is acknowledged although storing it failed.";
    UploadBeforeIntent = "upload-before-intent", "A batch is uploaded before it is noted that it will be.";
    ResentWithoutLookUp = "resent-without-look-up", "An upload without an answer is sent again without looking for its mark.";
    MarkNotLookedFor = "mark-not-looked-for", "A product whose last upload left no trace is sent again without looking for its mark once more.";
    QueueBelieved = "queue-believed", "A batch counts as applied by the queue's word, not by the movement history.";
    RestoreForgotten = "restore-forgotten", "After a restore nothing is looked for before it is made, as if storage knew everything.";
    MarksUsedAgain = "marks-used-again", "After a restore batches go on under the marks of the time that is not known.";
    NeighboursStopped = "neighbours-stopped", "A product that may not travel keeps the whole batch back.";
}

#[cfg(not(feature = "planted-faults"))]
impl Planted {
    /// Never.
    pub const fn is_on(self) -> bool {
        false
    }
}

#[cfg(feature = "planted-faults")]
mod switch {
    use std::cell::Cell;

    use super::Planted;

    thread_local! {
        static ON: Cell<Option<Planted>> = const { Cell::new(None) };
    }

    impl Planted {
        /// Whether the test that runs on this thread switched it on.
        pub fn is_on(self) -> bool {
            ON.get() == Some(self)
        }
    }

    /// Until it is dropped, this fault is on for this thread, or none.
    #[must_use]
    pub struct Switched(Option<Planted>);

    /// Switches one on, or all off.
    pub fn switch(to: Option<Planted>) -> Switched {
        Switched(ON.replace(to))
    }

    impl Drop for Switched {
        fn drop(&mut self) {
            ON.set(self.0);
        }
    }
}

#[cfg(feature = "planted-faults")]
pub use switch::{Switched, switch};
