//! Ctrl-C and SIGTERM: the first one asks to end, the second one ends at once. Decides nothing about what is finished before.

use tokio::sync::watch;

/// What a shell reports for a program that was interrupted.
pub const EXIT_CODE: u8 = 130;

/// Whether somebody asked to end. Clones ask the same.
#[derive(Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on, in place of the system's way to end a program.
    pub fn listen() -> Self {
        let (asked, told) = watch::channel(false);
        tokio::spawn(async move {
            signal().await;
            tracing::info!("finishing what is under way; once more ends at once");
            let _ = asked.send(true);
            signal().await;
            std::process::exit(EXIT_CODE.into());
        });
        Self(told)
    }

    /// One that a test asks.
    #[cfg(test)]
    pub fn told(told: watch::Receiver<bool>) -> Self {
        Self(told)
    }

    /// Whether it was asked.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it is asked.
    pub async fn asked(&mut self) {
        // The sender lives as long as the program.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
