//! The demo's customers. Nobody of them exists; their numbers are those that card networks and banks publish for tests.
//!
//! Each is kept as the JSON text that is sent, since how a value is written is what they are here for: an e-mail address
//! with an escaped `@`, another in the middle of a sentence, and a card as a JSON number.

/// One customer.
#[derive(Debug)]
pub(super) struct Customer {
    /// The number in the path.
    pub(super) id: u32,
    /// What the list says.
    pub(super) summary: &'static str,
    /// The whole of it.
    pub(super) json: &'static str,
}

/// All customers, by number.
pub(super) const CUSTOMERS: [Customer; 3] = [
    Customer {
        id: 1,
        summary: r#"{"id":1,"name":"Ada Example","city":"London","email":"ada@example.com"}"#,
        json: r#"{"id":1,"name":"Ada Example","city":"London","email":"ada\u0040example.com","phone":"+1 202-555-0147","ssn":"219-09-9999","iban":"GB82 WEST 1234 5698 7654 32","card":4111111111111111,"notes":"Moved in spring; asked us to write to ada.example@mail.example.org, and never to call."}"#,
    },
    Customer {
        id: 2,
        summary: r#"{"id":2,"name":"Ben Sample","city":"Berlin","email":"ben@example.net"}"#,
        json: r#"{"id":2,"name":"Ben Sample","city":"Berlin","email":"ben\u0040example.net","phone":"+1 202-555-0183","ssn":"457-55-5462","iban":"DE89370400440532013000","card":5555555555554444,"notes":"Invoices go to accounts+ben@example.net until June."}"#,
    },
    Customer {
        id: 3,
        summary: r#"{"id":3,"name":"Cleo Probe","city":"Lyon","email":"cleo@example.org"}"#,
        json: r#"{"id":3,"name":"Cleo Probe","city":"Lyon","email":"cleo\u0040example.org","phone":"+1 202-555-0112","ssn":"219-09-9998","iban":"FR14 2004 1010 0505 0001 3M02 606","card":378282246310005,"notes":"Reached through her assistant, paul@example.org."}"#,
    },
];

/// The events of `GET /events`, in the form of server-sent events.
pub(super) const EVENTS: [&str; 3] = [
    "id: 1\nevent: customer.updated\ndata: {\"customer\":1,\"city\":\"London\"}\n\n",
    "id: 2\nevent: message.received\ndata: {\"customer\":2,\"from\":\"ben@example.net\",\"text\":\"Please call.\"}\n\n",
    "id: 3\nevent: customer.updated\ndata: {\"customer\":3,\"city\":\"Lyon\"}\n\n",
];

/// The customer with this number.
pub(super) fn find(id: u32) -> Option<&'static Customer> {
    CUSTOMERS.iter().find(|customer| customer.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_customer_is_json_with_an_escaped_address_and_a_card_that_is_a_number() {
        for customer in &CUSTOMERS {
            let value: serde_json::Value = serde_json::from_str(customer.json).unwrap();
            assert_eq!(value["id"], customer.id);
            assert!(customer.json.contains(r"\u0040") && value["email"].as_str().unwrap().contains('@'));
            assert!(value["card"].is_u64() && value["notes"].as_str().unwrap().contains('@'));
            let summary: serde_json::Value = serde_json::from_str(customer.summary).unwrap();
            assert_eq!((&summary["id"], &summary["email"]), (&value["id"], &value["email"]));
        }
    }

    #[test]
    fn cards_and_accounts_have_valid_check_digits_so_that_a_detector_must_see_them() {
        for customer in &CUSTOMERS {
            let value: serde_json::Value = serde_json::from_str(customer.json).unwrap();
            let card = value["card"].to_string();
            let sum: u32 = card.bytes().rev().enumerate().map(|(place, byte)| luhn(place, byte)).sum();
            assert_eq!(sum % 10, 0, "{card}");
            let iban: String = value["iban"].as_str().unwrap().split(' ').collect();
            let turned = iban.chars().cycle().skip(4).take(iban.len());
            let digits: String = turned.map(|c| c.to_digit(36).unwrap().to_string()).collect();
            let rest = digits.bytes().fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97);
            assert_eq!(rest, 1, "{iban}");
        }
    }

    fn luhn(place: usize, byte: u8) -> u32 {
        let digit = u32::from(byte - b'0') << (place % 2);
        digit / 10 + digit % 10
    }
}
