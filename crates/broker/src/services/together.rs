//! Many small steps at once, so that the store commits them in groups.

use std::pin::Pin;
use std::task::Poll;

/// A step.
pub(super) type Step<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Most steps under way at once. Each one that ends has all the others looked at.
const AT_ONCE_MAX: usize = 64;

/// Carries out every step; the outcomes stand in the order of the steps.
pub(super) async fn all<'a, T: Send>(steps: impl Iterator<Item = Step<'a, T>>) -> Vec<T> {
    let mut steps = steps.fuse();
    let mut outcomes = Vec::new();
    loop {
        let mut group: Vec<Doing<'a, T>> = steps.by_ref().take(AT_ONCE_MAX).map(Doing::Step).collect();
        if group.is_empty() {
            return outcomes;
        }
        std::future::poll_fn(|context| {
            let mut is_done = true;
            for doing in &mut group {
                if let Doing::Step(step) = doing {
                    match step.as_mut().poll(context) {
                        Poll::Ready(outcome) => *doing = Doing::Done(outcome),
                        Poll::Pending => is_done = false,
                    }
                }
            }
            if is_done { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        outcomes.extend(group.into_iter().filter_map(|doing| match doing {
            Doing::Done(outcome) => Some(outcome),
            Doing::Step(_) => None,
        }));
    }
}

enum Doing<'a, T> {
    Step(Step<'a, T>),
    Done(T),
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Waker};

    use super::*;

    /// Is pending as often as it says.
    fn step(mut pending: usize, outcome: usize, begun: &AtomicUsize) -> Step<'_, usize> {
        let mut is_new = true;
        Box::pin(std::future::poll_fn(move |_| {
            if std::mem::take(&mut is_new) {
                begun.fetch_add(1, Ordering::Relaxed);
            }
            if pending == 0 {
                return Poll::Ready(outcome);
            }
            pending -= 1;
            Poll::Pending
        }))
    }

    #[test]
    fn outcomes_stand_in_the_order_of_the_steps_and_few_steps_are_under_way_at_once() {
        let begun = AtomicUsize::new(0);
        let steps = (0..150).map(|n| step(150 - n, n, &begun));
        let mut doing = Box::pin(all(steps));
        let mut context = Context::from_waker(Waker::noop());
        assert!(doing.as_mut().poll(&mut context).is_pending());
        assert_eq!(begun.load(Ordering::Relaxed), AT_ONCE_MAX);
        for _ in 0..1000 {
            if let Poll::Ready(outcomes) = doing.as_mut().poll(&mut context) {
                assert!(outcomes.into_iter().eq(0..150));
                return;
            }
        }
        panic!("the steps do not end");
    }
}
