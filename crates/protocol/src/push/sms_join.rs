use std::collections::BTreeMap;

use super::sms::{Part, Ports, Reference, SmsError, USER_DATA_BYTES_MAX, UserData};

/// Messages with parts missing that are kept at a time; each holds at most 255 parts of 140 octets.
pub const OPEN_MAX: usize = 32;

/// Joins short messages that come in any order, more than once, and mixed with others.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    open: BTreeMap<Key, BTreeMap<u8, Vec<u8>>>,
}

/// Parts belong together if all of this is equal.
type Key = (String, Option<Ports>, Reference, u8);

/// What a short message made whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// All octets of a message.
    Whole(Vec<u8>),
    /// Parts are still missing.
    Waiting,
    /// This part was there already.
    Repeated,
}

/// A message with parts missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Who sent it, as the caller told.
    pub sender: String,
    /// Where it goes.
    pub ports: Option<Ports>,
    /// What its parts have in common.
    pub reference: Reference,
    /// Parts in all.
    pub total: u8,
    /// Numbers of the parts that did not come.
    pub missing: Vec<u8>,
}

impl Assembly {
    /// Takes a short message of `sender`, which may be empty where it is not known.
    ///
    /// # Errors
    /// [`SmsError::Conflict`] for a part that differs from the one before, which stays; [`SmsError::TooManyOpen`];
    /// [`SmsError::Length`] for a payload that no short message can hold.
    pub fn take(&mut self, sender: &str, data: &UserData<'_>) -> Result<Joined, SmsError> {
        let Some(Part { reference, total, number }) = data.part else {
            return Ok(Joined::Whole(data.payload.to_vec()));
        };
        if data.payload.len() > USER_DATA_BYTES_MAX {
            let (length, at) = (data.payload.len(), data.payload_at);
            return Err(SmsError::Length { at, length, left: USER_DATA_BYTES_MAX });
        }
        let key = (sender.to_owned(), data.ports, reference, total);
        if !self.open.contains_key(&key) && self.open.len() == OPEN_MAX {
            return Err(SmsError::TooManyOpen { max: OPEN_MAX });
        }
        let parts = self.open.entry(key.clone()).or_default();
        match parts.get(&number) {
            Some(before) if before == data.payload => return Ok(Joined::Repeated),
            Some(_) => return Err(SmsError::Conflict { number, total }),
            None => parts.insert(number, data.payload.to_vec()),
        };
        if parts.len() < usize::from(total) {
            return Ok(Joined::Waiting);
        }
        let parts = self.open.remove(&key).unwrap_or_default();
        Ok(Joined::Whole(parts.into_values().flatten().collect()))
    }

    /// Messages with parts missing.
    pub fn open(&self) -> impl Iterator<Item = Open> {
        self.open.iter().map(|((sender, ports, reference, total), parts)| Open {
            sender: sender.clone(),
            ports: *ports,
            reference: *reference,
            total: *total,
            missing: (1..=*total).filter(|number| !parts.contains_key(number)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::sms::user_data;
    use super::*;

    fn payload(octets: usize) -> Vec<u8> {
        (0..octets).map(|number| (number % 251) as u8).collect()
    }

    /// Gives all to one assembly and returns what became whole.
    fn join(assembly: &mut Assembly, messages: &[&[u8]]) -> Vec<Vec<u8>> {
        let joined =
            messages.iter().filter_map(|octets| match assembly.take("", &UserData::read(octets).unwrap()).unwrap() {
                Joined::Whole(whole) => Some(whole),
                Joined::Waiting | Joined::Repeated => None,
            });
        joined.collect()
    }

    #[test]
    fn sizes_of_parts_are_those_of_the_notification_specification() {
        let sizes = |octets, reference| -> Vec<usize> {
            let parts = user_data(&payload(octets), Ports::PUSH, reference).unwrap();
            parts.iter().map(|part| UserData::read(part).unwrap().payload.len()).collect()
        };
        assert_eq!(sizes(133, Reference::Short(1)), [133]);
        assert_eq!(sizes(134, Reference::Short(1)), [128, 6]);
        assert_eq!(sizes(300, Reference::Long(0x1234)), [127, 127, 46]);
        assert_eq!(sizes(0, Reference::Short(1)), [0]);
        assert_eq!(sizes(128 * 255, Reference::Short(0)).len(), 255);
        let long = payload(128 * 255 + 1);
        let refused = user_data(&long, Ports::PUSH, Reference::Short(0));
        assert_eq!(refused, Err(SmsError::TooLong { octets: long.len() }));
    }

    #[test]
    fn parts_join_in_any_order_and_repeated() {
        for reference in [Reference::Short(9), Reference::Long(900)] {
            let whole = payload(400);
            let parts = user_data(&whole, Ports::PUSH, reference).unwrap();
            let [a, b, c, d] = parts.as_slice() else { panic!("four parts") };
            let mut assembly = Assembly::default();
            assert_eq!(join(&mut assembly, &[d, b, b, a, d, c]), [whole]);
            assert_eq!(assembly.open().count(), 0);
        }
    }

    #[test]
    fn messages_that_are_mixed_do_not_mingle_and_the_missing_part_is_named() {
        let (one, two) = (payload(200), payload(300));
        let first = user_data(&one, Ports::PUSH, Reference::Short(1)).unwrap();
        let second = user_data(&two, Ports::PUSH, Reference::Short(2)).unwrap();
        let mut assembly = Assembly::default();
        let done = join(&mut assembly, &[&second[2], &first[1], &second[0], &first[0]]);
        assert_eq!(done, [one]);
        let open: Vec<Open> = assembly.open().collect();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].reference, open[0].missing.as_slice()), (Reference::Short(2), &[2_u8][..]));
        assert_eq!(join(&mut assembly, &[&second[1]]), [two]);
    }

    #[test]
    fn the_same_reference_of_another_sender_is_another_message() {
        let whole = payload(200);
        let parts = user_data(&whole, Ports::PUSH, Reference::Short(1)).unwrap();
        let mut assembly = Assembly::default();
        let part = |number: usize| UserData::read(&parts[number]).unwrap();
        assert_eq!(assembly.take("+1", &part(0)), Ok(Joined::Waiting));
        assert_eq!(assembly.take("+2", &part(1)), Ok(Joined::Waiting));
        assert_eq!(assembly.take("+1", &part(1)), Ok(Joined::Whole(whole)));
    }

    #[test]
    fn a_part_that_comes_with_other_octets_is_refused_and_the_first_stays() {
        let whole = payload(200);
        let parts = user_data(&whole, Ports::PUSH, Reference::Short(1)).unwrap();
        let mut forged = parts[0].clone();
        *forged.last_mut().unwrap() ^= 1;
        let mut assembly = Assembly::default();
        join(&mut assembly, &[&parts[0]]);
        let refused = assembly.take("", &UserData::read(&forged).unwrap());
        assert_eq!(refused, Err(SmsError::Conflict { number: 1, total: 2 }));
        assert_eq!(join(&mut assembly, &[&parts[1]]), [whole]);
    }

    #[test]
    fn messages_that_never_end_are_bounded() {
        let mut assembly = Assembly::default();
        for number in 0..=OPEN_MAX {
            let reference = Reference::Long(u16::try_from(number).unwrap());
            let parts = user_data(&payload(200), Ports::PUSH, reference).unwrap();
            let taken = assembly.take("", &UserData::read(&parts[0]).unwrap());
            let expected =
                if number < OPEN_MAX { Ok(Joined::Waiting) } else { Err(SmsError::TooManyOpen { max: OPEN_MAX }) };
            assert_eq!(taken, expected);
        }
        let long = [&[5, 0, 3, 1, 2, 1][..], &[0; 141]].concat();
        let refused = Assembly::default().take("", &UserData::read(&long).unwrap());
        assert_eq!(refused, Err(SmsError::Length { at: 6, length: 141, left: 140 }));
    }

    #[test]
    fn user_data_cut_anywhere_says_where_and_numbers_that_cannot_be_are_refused() {
        let parts = user_data(&payload(200), Ports::PUSH, Reference::Short(1)).unwrap();
        for length in 0..12 {
            assert!(UserData::read(&parts[0][..length]).is_err(), "{length}");
        }
        for (octets, error) in [
            (&[][..], SmsError::Empty),
            (&[6, 5, 4, 0x0B], SmsError::Length { at: 1, length: 6, left: 3 }),
            (&[2, 5, 4], SmsError::Length { at: 3, length: 4, left: 0 }),
            (&[1, 5], SmsError::Length { at: 2, length: 1, left: 0 }),
            (&[4, 5, 2, 0, 0], SmsError::Element { element: 5, at: 1, length: 2, expected: 4 }),
            (&[5, 0, 3, 1, 2, 0], SmsError::Numbering { number: 0, total: 2, at: 1 }),
            (&[5, 0, 3, 1, 2, 3], SmsError::Numbering { number: 3, total: 2, at: 1 }),
            (&[5, 0, 3, 1, 0, 0], SmsError::Numbering { number: 0, total: 0, at: 1 }),
        ] {
            assert_eq!(UserData::read(octets), Err(error), "{octets:02x?}");
        }
        let other = [7, 0x24, 1, 9, 4, 2, 0x0B, 0x84, 0xFF];
        let other = UserData::read(&other).unwrap();
        assert_eq!(other.others, [(0x24, &[9_u8][..])]);
        assert_eq!((other.ports.unwrap().destination, other.payload), (0x0B, &[0xFF_u8][..]));
    }
}
