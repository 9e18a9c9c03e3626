package com.stripe.android.paymentsheet

class PaymentSheet {
    fun presentWithPaymentIntent(paymentIntentClientSecret: String, configuration: Configuration? = null) =
        println("$paymentIntentClientSecret $configuration")

    class Configuration {
        class Builder(val merchantDisplayName: String) {
            fun customer(customer: CustomerConfiguration?) = this.also { listOf(customer) }
            fun build() = Configuration()
        }
    }

    class CustomerConfiguration {
        companion object {
            fun createWithCustomerSession(id: String, clientSecret: String) =
                CustomerConfiguration().also { listOf(id, clientSecret) }
        }
    }
}
