
perhaps